import { matchesOutput } from './matches-output.ts'
import { type PastCall, rulesOf, type ToolRule } from './tool-rule.ts'

/** What the model may call in a step. */
export interface Allowance {
  /** Names out of `available`, in their order. Empty: no tool may be called, and the model answers in words. */
  allowed: string[]
  /** A call must follow. Never with an empty `allowed`. */
  isForced: boolean
}

/**
 * The tools that the rules allow after the calls of the present turn. Rules about tools that are not there bind nobody. Pure.
 * @param demanded tools that must be called before the turn may end, where the model has tried to end it
 */
export function solveToolRules(
  rules: readonly ToolRule[],
  history: readonly PastCall[],
  available: readonly string[],
  demanded: readonly string[] = [],
): Allowance {
  const isCapped = capOf(rules, history)
  const open = available.filter((name) => !isCapped(name))
  const first = history.length > 0 ? [] : namesOf(rules, 'run_first').filter((name) => open.includes(name))
  if (first.length > 0) return { allowed: open.filter((name) => first.includes(name)), isForced: true }
  const next = nextTools(rules, history.at(-1))
  const isOrphan = withoutParent(rules, history.at(-1))
  const allowed = open.filter((name) => (next?.includes(name) ?? true) && !isOrphan(name))
  const wanted = allowed.filter((name) => demanded.includes(name))
  if (wanted.length > 0) return { allowed: wanted, isForced: true }
  return { allowed, isForced: (next !== undefined || demanded.length > 0) && allowed.length > 0 }
}

const namesOf = (rules: readonly ToolRule[], type: ToolRule['type']): string[] =>
  rules.filter((rule) => rule.type === type).map((rule) => rule.tool_name)

function capOf(rules: readonly ToolRule[], history: readonly PastCall[]): (name: string) => boolean {
  const full = rulesOf(rules, 'max_count_per_step').filter(
    (rule) => history.filter((call) => call.name === rule.tool_name).length >= rule.max_count_limit,
  )
  return (name) => full.some((rule) => rule.tool_name === name)
}

/** The tools of which one must follow the last call: those that all its rules name; undefined where any may. */
function nextTools(rules: readonly ToolRule[], last: PastCall | undefined): string[] | undefined {
  if (last === undefined) return undefined
  const sets = rules.flatMap((rule): string[][] => {
    if (rule.tool_name !== last.name) return []
    if (rule.type === 'constrain_child_tools') return [rule.children]
    if (rule.type !== 'conditional') return []
    const chosen = chosenChild(rule, last.output)
    return chosen === 'any' ? [] : [chosen]
  })
  const [set, ...others] = sets
  return set?.filter((name) => others.every((other) => other.includes(name)))
}

function chosenChild(rule: Extract<ToolRule, { type: 'conditional' }>, output: string): string[] | 'any' {
  const match = Object.entries(rule.child_output_mapping).find(([key]) => matchesOutput(output, key))
  if (match !== undefined) return [match[1]]
  if (rule.default_child !== null) return [rule.default_child]
  return rule.require_output_mapping ? [] : 'any'
}

/** True for tools that may only come right after another one, which was not the last. */
function withoutParent(rules: readonly ToolRule[], last: PastCall | undefined): (name: string) => boolean {
  const parents = rulesOf(rules, 'parent_last_tool')
  return (name) => {
    const own = parents.filter((rule) => rule.children.includes(name))
    return own.length > 0 && !own.some((rule) => rule.tool_name === last?.name)
  }
}

/** The turn ends after this tool. */
export const isTerminal = (rules: readonly ToolRule[], name: string): boolean =>
  namesOf(rules, 'exit_loop').includes(name)

/** The loop goes on after this tool: a rule says so, or another tool must follow. */
export function goesOnAfter(rules: readonly ToolRule[], name: string): 'child' | 'continue' | undefined {
  const own = rules.filter((rule) => rule.tool_name === name).map((rule) => rule.type)
  if (own.includes('constrain_child_tools') || own.includes('conditional')) return 'child'
  return own.includes('continue_loop') ? 'continue' : undefined
}

/** Tools that must be called before the turn may end, and can be. */
export function findUncalled(
  rules: readonly ToolRule[],
  history: readonly PastCall[],
  available: readonly string[],
): string[] {
  if (solveToolRules(rules, history, available).allowed.length === 0) return []
  const isCapped = capOf(rules, history)
  const isOpen = (name: string) =>
    available.includes(name) && !isCapped(name) && !history.some((call) => call.name === name)
  return [...new Set(namesOf(rules, 'required_before_exit'))].filter(isOpen)
}

/** Arguments that rules set for a call that comes next, over those of the model; undefined where none do. */
export function prefilledArguments(
  rules: readonly ToolRule[],
  history: readonly PastCall[],
  name: string,
): Record<string, unknown> | undefined {
  const last = history.at(-1)
  const sets = rules.flatMap((rule) => {
    if (rule.type === 'run_first') return last === undefined && rule.tool_name === name ? [rule.args] : []
    if (rule.type !== 'constrain_child_tools' || rule.tool_name !== last?.name) return []
    return (rule.child_arg_nodes ?? []).filter((node) => node.name === name).map((node) => node.args)
  })
  const given = sets.filter((args) => args != null)
  return given.length === 0 ? undefined : Object.assign({}, ...given)
}
