import { estimateTokens } from '#llm/estimate-tokens.ts'
import type { Model, ModelRegistry, ModelRequest, ModelSettings, ToolDefinition } from '#llm/model.ts'
import type { Logger } from '#platform/logger.ts'
import { emptyUsage } from '#runs/usage.ts'
import { findThread, type ThreadRow } from '#store/conversations/load-thread.ts'
import type { Db } from '#store/db.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { ClaimedRun, Lease, RunUsage } from '#store/runs/run-row.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import { budgetOf } from './context-window/context-limits.ts'
import { estimateRow } from './context-window/fit-context.ts'
import type { TokenRatios } from './context-window/token-ratios.ts'
import { resolveModelSettings } from './model-settings.ts'
import { likesLineNumbers } from './prompts/likes-line-numbers.ts'
import { refreshSystemPrompt } from './prompts/refresh-system-prompt.ts'
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
}

/** All that a turn needs, loaded once; the rows grow as the turn goes on. */
export interface Turn {
  run: ClaimedRun
  lease: Lease
  thread: ThreadRow
  model: Model
  settings: ModelSettings
  systemPrompt: string
  tools: ToolDefinition[]
  /** Messages in context, oldest first, without the system message; the first is the summary of those before, if there is one. */
  rows: MessageRow[]
  /** Estimated tokens of each row. */
  rowTokens: number[]
  /** Rows from here on belong to this run. */
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
}

export const toLease = (run: ClaimedRun): Lease => ({
  organizationId: run.organization_id,
  runId: run.id,
  token: run.lease_token,
})

/** The tools of an agent as a model is told of them. */
export function toolDefinitions(thread: ThreadRow, findTool: typeof findBuiltinTool): ToolDefinition[] {
  return thread.tools.flatMap((attached) => {
    const { json_schema: schema } = attached
    if (schema !== null) {
      const parameters = schema.parameters ?? { type: 'object', properties: {} }
      return [{ name: attached.name, description: schema.description ?? '', parameters }]
    }
    const tool = findTool(attached.name)
    return tool === undefined ? [] : [{ name: tool.name, description: tool.description, parameters: tool.parameters }]
  })
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

/**
 * Loads an agent's thread for a run, fresh or taken over: two statements, and two more when the prompt must be compiled anew.
 * @param refresh brings the system prompt up to date; what only looks at a turn stores nothing
 * @returns undefined when the agent is gone
 * @throws DomainError when the model's handle leads nowhere
 */
export async function openTurn(
  options: RunLoopOptions,
  run: ClaimedRun,
  refresh = refreshSystemPrompt,
): Promise<Turn | undefined> {
  const { db, models, tokenRatios } = options
  const thread = await findThread(db, run.organization_id, run.conversation_id)
  if (thread === undefined) return undefined
  const rows = await listContextMessages(db, run.organization_id, thread)
  const model = await models.getModel(
    run.request.overrideModel ?? thread.conversation_model ?? thread.model,
    run.organization_id,
  )
  const systemPrompt =
    run.request.overrideSystem ??
    (await refresh(db, {
      organizationId: run.organization_id,
      thread,
      contextCount: rows.length + 1,
      hasLineNumbers: likesLineNumbers(model.info),
      now: new Date(),
    }))
  const tools = toolDefinitions(thread, options.findTool ?? findBuiltinTool)
  const settings = resolveModelSettings(
    thread.model_settings,
    thread.conversation_model_settings,
    thread.response_format,
  )
  const windowTokens = await windowOf(options, run.organization_id, thread, model)
  const firstOwnRow = rows.findIndex((row) => row.run_id === run.id && row.role !== 'summary')
  return {
    run,
    lease: toLease(run),
    thread,
    model,
    settings,
    systemPrompt,
    tools,
    rows,
    rowTokens: rows.map(estimateRow),
    firstOwnRow: firstOwnRow < 0 ? rows.length : firstOwnRow,
    fixedTokens: estimateTokens(systemPrompt) + estimateTokens(JSON.stringify(tools)),
    windowTokens,
    budgetTokens: budgetOf(windowTokens, settings, model.info),
    tokenRatio: tokenRatios.get(model.info.handle, run.conversation_id),
    stepCount: run.step_count,
    usage: { ...emptyUsage(), ...run.usage },
  }
}
