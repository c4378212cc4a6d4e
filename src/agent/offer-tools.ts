import type { ToolChoice, ToolDefinition } from '#llm/model.ts'
import type { Engine } from './engines.ts'
import { isDemand } from './heartbeat.ts'
import type { Turn } from './open-turn.ts'
import { findUncalled, solveToolRules } from './tool-rules/solve-tool-rules.ts'
import type { ToolRule } from './tool-rules/tool-rule.ts'
import { turnHistory } from './tool-rules/turn-history.ts'

/** What a step lets the model call, and what its text will be. */
export interface ToolOffer {
  tools: ToolDefinition[]
  toolChoice: ToolChoice
  /** The text of the answer is thinking: the user is spoken to by a tool. */
  isThought: boolean
}

export const NOTHING_OFFERED: ToolOffer = { tools: [], toolChoice: { type: 'auto' }, isThought: false }

/** Where rules say what comes after what, calls come one by one. */
export const isParallel = (engine: Engine, rules: readonly ToolRule[]): boolean =>
  engine.isParallel && rules.every((rule) => rule.type === 'requires_approval')

type OfferedTurn = Pick<Turn, 'engine' | 'rules' | 'tools' | 'rows' | 'firstOwnRow'>

/** The tools that rules and engine allow now; those that they do not are not shown to the model. */
export function offerTools({ engine, rules, tools, rows, firstOwnRow }: OfferedTurn): ToolOffer {
  if (tools.length === 0) return NOTHING_OFFERED
  const history = turnHistory(rows.slice(firstOwnRow))
  const available = tools.map((tool) => tool.name)
  const demanded = isDemand(rows.at(-1)) ? findUncalled(rules, history, available) : []
  const { allowed, isForced } = solveToolRules(rules, history, available, demanded)
  if (allowed.length === 0) return { tools, toolChoice: { type: 'none' }, isThought: false }
  const [first] = allowed
  const isFixed = isForced && allowed.length === 1 && first !== undefined
  return {
    tools: allowed.length === tools.length ? tools : tools.filter((tool) => allowed.includes(tool.name)),
    toolChoice: isFixed ? { type: 'tool', name: first } : { type: isForced || engine.mustCall ? 'required' : 'auto' },
    isThought: engine.speaksByTool,
  }
}
