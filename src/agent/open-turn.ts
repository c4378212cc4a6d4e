import { estimateTokens } from '#llm/estimate-tokens.ts'
import type { Model, ModelRegistry, ModelRequest, ModelSettings, ToolDefinition } from '#llm/model.ts'
import type { Logger } from '#platform/logger.ts'
import { emptyUsage } from '#runs/usage.ts'
import { findThread, type ThreadRow } from '#store/conversations/load-thread.ts'
import { trimContext } from '#store/conversations/trim-context.ts'
import type { Db } from '#store/db.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { ClaimedRun, Lease, RunUsage } from '#store/runs/run-row.ts'
import type { CustomTools } from '#tools/custom-tools.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import type { ToolServices } from '#tools/tool.ts'
import type { AgentRuns } from './agent-messenger.ts'
import { askedTools } from './approvals/asked-calls.ts'
import { findTurnStart } from './approvals/find-pending.ts'
import { budgetOf } from './context-window/context-limits.ts'
import { estimateRow } from './context-window/fit-context.ts'
import type { TokenRatios } from './context-window/token-ratios.ts'
import { type Engine, engineOf } from './engines.ts'
import { type Additions, addParameters } from './inner-thoughts.ts'
import { resolveModelSettings } from './model-settings.ts'
import { isParallel, NOTHING_OFFERED, type ToolOffer } from './offer-tools.ts'
import { likesLineNumbers } from './prompts/likes-line-numbers.ts'
import { refreshSystemPrompt } from './prompts/refresh-system-prompt.ts'
import { isTerminal } from './tool-rules/solve-tool-rules.ts'
import type { ToolRule } from './tool-rules/tool-rule.ts'
import type { TraceWriter } from './trace-writer.ts'

export interface RunLoopOptions {
  db: Db
  models: ModelRegistry
  logger: Logger
  /** Upper bound of the context of agents that name no limit of their own, in tokens. */
  maxContextWindow: number
  /** Keeps what was said to providers and back; undefined where nobody wants that. */
  traces?: TraceWriter | undefined
  /** Time (ms) for the summary of what leaves a context that is too long; then it leaves without one. */
  summaryTimeoutMs: number
  tokenRatios: TokenRatios
  /** The tools that the server executes; the built-in ones unless told. */
  findTool?: typeof findBuiltinTool
  /** By what agents reach each other. */
  agentRuns?: AgentRuns
  /** Runs tools that are not the server's own; undefined where none are run. */
  customTools?: CustomTools
  services?: ToolServices
}

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
  /** Messages in context, oldest first, without the system message; the first is the summary of those before, if there is one. */
  rows: MessageRow[]
  /** Estimated tokens of each row. */
  rowTokens: number[]
  /** Rows from here on belong to this turn. */
  firstOwnRow: number
  /** Estimated tokens of system message and tool definitions. */
  fixedTokens: number
  /** Tokens of prompt and reply together. */
  windowTokens: number
  /** Tokens that a prompt may have. */
  budgetTokens: number
  /** What the provider counts for one token of our estimates. */
  tokenRatio: number
  stepCount: number
  usage: RunUsage
  /** The last call to the model, where calls are traced. */
  lastRequest?: ModelRequest
  /** The model has been asked and has not answered yet. */
  isAsking?: boolean
}

export const toLease = (run: ClaimedRun): Lease => ({
  organizationId: run.organization_id,
  runId: run.id,
  token: run.lease_token,
})

/**
 * The tools of an agent as a model is told of them: those that the server knows, and those of the client, which win over others of their
 * name.
 */
export function toolDefinitions(
  thread: ThreadRow,
  findTool: typeof findBuiltinTool,
  clientTools: readonly ToolDefinition[] = [],
): ToolDefinition[] {
  const own = thread.tools.flatMap((attached) => {
    if (clientTools.some((tool) => tool.name === attached.name)) return []
    const { json_schema: schema } = attached
    if (schema !== null) {
      const parameters = schema.parameters ?? { type: 'object', properties: {} }
      return [{ name: attached.name, description: schema.description ?? '', parameters }]
    }
    const tool = findTool(attached.name)
    return tool === undefined ? [] : [{ name: tool.name, description: tool.description, parameters: tool.parameters }]
  })
  return [...own, ...clientTools]
}

/**
 * Tokens that a thread may fill with this model: the conversation's own limit, else the agent's, bounded by the model's window, and by
 * the server's where neither is set. A conversation's own model gets no larger window than the agent's model has.
 */
export async function windowOf(
  options: Pick<RunLoopOptions, 'models' | 'maxContextWindow'>,
  organizationId: string,
  thread: ThreadRow,
  model: Model,
): Promise<number> {
  const limit = thread.conversation_window_limit ?? thread.context_window_limit
  if (limit !== null) return Math.min(limit, model.info.contextWindow)
  const bound = Math.min(options.maxContextWindow, model.info.contextWindow)
  if (model.info.handle !== thread.conversation_model) return bound
  // the agent's own model may not be served any more, and is not needed
  const ofAgent = await options.models.getModel(thread.model, organizationId).catch(() => undefined)
  return Math.min(bound, ofAgent?.info.contextWindow ?? bound)
}

/** What opening a turn may store: the prompt compiled anew, and where the context begins. */
export interface TurnKeeper {
  refresh: typeof refreshSystemPrompt
  trim: typeof trimContext
}

/** What was said before this turn is forgotten, for agents that want to begin each one anew. */
async function clearBuffer(db: Db, run: ClaimedRun, rows: MessageRow[], keeper: TurnKeeper): Promise<MessageRow[]> {
  const own = rows.slice(findTurnStart(rows, run))
  const [first] = own
  if (first === undefined || own.length === rows.length) return own
  const thread = { organizationId: run.organization_id, conversationId: run.conversation_id }
  await keeper.trim(db, thread, { seq: first.seq, at: first.created_at })
  return own
}

/**
 * Loads an agent's thread for a run, fresh or taken over: two statements, and two more when the prompt must be compiled anew.
 * @param keeper brings what is stored of the thread up to date; who only looks at a turn has one that stores nothing
 * @returns undefined when the agent is gone
 * @throws DomainError when the model's handle leads nowhere
 */
export async function openTurn(
  options: RunLoopOptions,
  run: ClaimedRun,
  keeper: TurnKeeper = { refresh: refreshSystemPrompt, trim: trimContext },
): Promise<Turn | undefined> {
  const { db, models, tokenRatios } = options
  const thread = await findThread(db, run.organization_id, run.conversation_id)
  if (thread === undefined) return undefined
  const all = await listContextMessages(db, run.organization_id, thread)
  const rows = thread.message_buffer_autoclear ? await clearBuffer(db, run, all, keeper) : all
  const model = await models.getModel(
    run.request.overrideModel ?? thread.conversation_model ?? thread.model,
    run.organization_id,
  )
  const systemPrompt =
    run.request.overrideSystem ??
    (await keeper.refresh(db, {
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
  const windowTokens = await windowOf(options, run.organization_id, thread, model)
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
    windowTokens,
    budgetTokens: budgetOf(windowTokens, settings, model.info),
    tokenRatio: tokenRatios.get(model.info.handle, run.conversation_id),
    stepCount: run.step_count,
    usage: { ...emptyUsage(), ...run.usage },
  }
}
