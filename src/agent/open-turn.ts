import { estimateTokens } from '#llm/estimate-tokens.ts'
import type { Model, ModelRegistry, ModelSettings, ToolDefinition } from '#llm/model.ts'
import type { Logger } from '#platform/logger.ts'
import { emptyUsage } from '#runs/usage.ts'
import { findThread, type ThreadRow } from '#store/conversations/load-thread.ts'
import { trimContext } from '#store/conversations/save-prompt.ts'
import type { Db } from '#store/db.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { ClaimedRun, Lease, RunUsage } from '#store/runs/run-row.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import type { AgentRuns } from './agent-messenger.ts'
import { askedTools } from './approvals/asked-calls.ts'
import { findTurnStart } from './approvals/find-pending.ts'
import { estimateRow } from './context-window/fit-context.ts'
import { type Engine, engineOf } from './engines.ts'
import { type Additions, addParameters } from './inner-thoughts.ts'
import { resolveModelSettings } from './model-settings.ts'
import { isParallel, NOTHING_OFFERED, type ToolOffer } from './offer-tools.ts'
import { likesLineNumbers } from './prompts/likes-line-numbers.ts'
import { refreshSystemPrompt } from './prompts/refresh-system-prompt.ts'
import { isTerminal } from './tool-rules/solve-tool-rules.ts'
import type { ToolRule } from './tool-rules/tool-rule.ts'

export interface RunLoopOptions {
  db: Db
  models: ModelRegistry
  logger: Logger
  /** Upper bound of the context of agents that name no limit of their own, in tokens. */
  maxContextWindow: number
  /** The tools that the server executes; the built-in ones unless told. */
  findTool?: typeof findBuiltinTool
  /** By what agents reach each other. */
  agentRuns?: AgentRuns
}

/** Part of the window that is kept free for the reply when the model's own limit is larger. */
const MAX_REPLY_SHARE = 0.25
/** Tokens kept free for the reply of a model whose limit is not known. */
const DEFAULT_REPLY_TOKENS = 4_096

/** All that a turn needs, loaded once; the rows grow as the turn goes on. */
export interface Turn {
  run: ClaimedRun
  lease: Lease
  thread: ThreadRow
  model: Model
  settings: ModelSettings
  systemPrompt: string
  engine: Engine
  rules: readonly ToolRule[]
  /** With the parameters that the engine adds to them. */
  tools: ToolDefinition[]
  additions: Additions
  /** Tools whose calls wait for a person, or for the client. */
  asked: ReadonlySet<string>
  /** What the model may call in the step under way. */
  offer: ToolOffer
  /** Messages in context, oldest first, without the system message. */
  rows: MessageRow[]
  /** Estimated tokens of each row. */
  rowTokens: number[]
  /** Rows from here on belong to this turn. */
  firstOwnRow: number
  /** Estimated tokens of system message and tool definitions. */
  fixedTokens: number
  /** Tokens that a prompt may have. */
  budgetTokens: number
  stepCount: number
  usage: RunUsage
}

export const toLease = (run: ClaimedRun): Lease => ({
  organizationId: run.organization_id,
  runId: run.id,
  token: run.lease_token,
})

/** The tools that the server executes, and those of the client, which win over others of their name. */
function toolDefinitions(
  thread: ThreadRow,
  findTool: typeof findBuiltinTool,
  clientTools: readonly ToolDefinition[],
): ToolDefinition[] {
  const isClients = (name: string) => clientTools.some((tool) => tool.name === name)
  const own = thread.tools.flatMap((attached) => {
    const tool = isClients(attached.name) ? undefined : findTool(attached.name)
    return tool === undefined ? [] : [{ name: tool.name, description: tool.description, parameters: tool.parameters }]
  })
  return [...own, ...clientTools]
}

/** The window that this agent may fill: its own limit, else the model's, bounded by the server's. */
function windowOf(thread: ThreadRow, model: Model, maxContextWindow: number): number {
  return Math.min(thread.context_window_limit ?? maxContextWindow, model.info.contextWindow)
}

function budgetOf(window: number, settings: ModelSettings, model: Model): number {
  const reply = settings.max_output_tokens ?? model.info.maxOutputTokens ?? DEFAULT_REPLY_TOKENS
  return window - Math.min(reply, Math.floor(window * MAX_REPLY_SHARE))
}

/** What was said before this turn is forgotten, for agents that want to begin each one anew. */
async function clearBuffer(db: Db, run: ClaimedRun, rows: MessageRow[]): Promise<MessageRow[]> {
  const own = rows.slice(findTurnStart(rows, run))
  const [first] = own
  if (first === undefined || own.length === rows.length) return own
  const thread = { organizationId: run.organization_id, conversationId: run.conversation_id }
  await trimContext(db, thread, { seq: first.seq, at: first.created_at })
  return own
}

/**
 * Loads an agent's thread for a run, fresh or taken over: two statements, and two more when the prompt must be compiled anew.
 * @returns undefined when the agent is gone
 * @throws DomainError when the model's handle leads nowhere
 */
export async function openTurn(options: RunLoopOptions, run: ClaimedRun): Promise<Turn | undefined> {
  const { db, models, maxContextWindow } = options
  const thread = await findThread(db, run.organization_id, run.conversation_id)
  if (thread === undefined) return undefined
  const all = await listContextMessages(db, run.organization_id, thread)
  const rows = thread.message_buffer_autoclear ? await clearBuffer(db, run, all) : all
  const model = await models.getModel(run.request.overrideModel ?? thread.conversation_model ?? thread.model)
  const systemPrompt =
    run.request.overrideSystem ??
    (await refreshSystemPrompt(db, {
      organizationId: run.organization_id,
      thread,
      contextCount: rows.length + 1,
      hasLineNumbers: likesLineNumbers(model.info),
      now: new Date(),
    }))
  const engine = engineOf(thread.agent_type)
  const rules = thread.tool_rules as ToolRule[]
  const clientTools = run.request.clientTools ?? []
  const definitions = toolDefinitions(thread, options.findTool ?? findBuiltinTool, clientTools)
  const { tools, additions } = addParameters(definitions, engine, {
    thinksInCalls: engine.hasInnerThoughts && !model.info.hasReasoning,
    isTerminal: (name) => isTerminal(rules, name),
  })
  const settings = resolveModelSettings(
    thread.model_settings,
    thread.conversation_model_settings,
    thread.response_format,
  )
  if (!isParallel(engine, rules)) settings.parallel_tool_calls = false
  return {
    run,
    lease: toLease(run),
    thread,
    model,
    settings,
    systemPrompt,
    engine,
    rules,
    tools,
    additions,
    asked: askedTools(rules, definitions, clientTools),
    offer: NOTHING_OFFERED,
    rows,
    rowTokens: rows.map(estimateRow),
    firstOwnRow: findTurnStart(rows, run),
    fixedTokens: estimateTokens(systemPrompt) + estimateTokens(JSON.stringify(tools)),
    budgetTokens: budgetOf(windowOf(thread, model, maxContextWindow), settings, model),
    stepCount: run.step_count,
    usage: { ...emptyUsage(), ...run.usage },
  }
}
