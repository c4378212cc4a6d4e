import { estimateTokens } from '#llm/estimate-tokens.ts'
import type { Model, ModelRegistry } from '#llm/model.ts'
import { conflict, invalidArgument, notFound } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import { findCompactable } from '#store/conversations/find-compactable.ts'
import { findThread, type ThreadRow } from '#store/conversations/load-thread.ts'
import { recordProviderCalls, saveCompaction } from '#store/conversations/save-compaction.ts'
import type { Db } from '#store/db.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import { compactionSettingsOf } from './context-window/compaction-settings.ts'
import { budgetOf, type ContextSize, compactionTargets, contextTokens } from './context-window/context-limits.ts'
import { estimateRow } from './context-window/fit-context.ts'
import {
  type ContextSummary,
  canCompact,
  type SummaryTask,
  summarizeContext,
} from './context-window/summarize-context.ts'
import { Summarizer } from './context-window/summarizer.ts'
import { toSummaryMessage } from './context-window/summary-text.ts'
import { resolveModelSettings } from './model-settings.ts'
import { toolDefinitions, windowOf } from './open-turn.ts'
import { likesLineNumbers } from './prompts/likes-line-numbers.ts'
import { recompileSystemPrompt } from './prompts/refresh-system-prompt.ts'
import { toTurnTranscript } from './transcript.ts'

/** What compacting a thread needs of the server. */
export interface CompactThreadDeps {
  db: Db
  models: ModelRegistry
  logger: Logger
  config: { globalMaxContextWindow: number; summaryTimeoutMs: number }
}

export interface CompactedContext {
  summary: string
  /** Messages in context, the system message among them. */
  countBefore: number
  countAfter: number
}

/** A thread as it was read, ready to be summarised. */
interface OpenThread {
  organizationId: string
  row: ThreadRow
  model: Model
  size: ContextSize
  task: SummaryTask
}

/**
 * Summarises the context of a thread in which no run works or waits. Messages that arrive meanwhile are not held up, and stay in
 * context. Throws not_found, invalid_argument where nothing can leave, conflict where a run has the thread or somebody else has
 * changed its context meanwhile, and the ModelError of a summariser that failed: then nothing has changed.
 */
export async function compactThread(
  deps: CompactThreadDeps,
  organizationId: string,
  thread: NewRun['thread'],
  settings: Record<string, unknown> | null,
): Promise<CompactedContext> {
  const open = await openThread(deps, organizationId, await findIdle(deps.db, organizationId, thread), settings)
  if (!canCompact(open.task)) throw nothingToCompact()
  const summarizer = new Summarizer(new AbortController().signal, deps.config.summaryTimeoutMs)
  const done = await summarizeContext(open.task, summarizer)
  if (done.failure !== undefined) {
    await recordProviderCalls(deps.db, whereOf(open), summarizer.calls)
    throw done.failure
  }
  await save(deps, open, done, summarizer)
  const { length } = open.task.rows
  return { summary: done.content.summary, countBefore: length + 1, countAfter: length - done.cut + 2 }
}

async function findIdle(db: Db, organizationId: string, thread: NewRun['thread']): Promise<string> {
  const found = await findCompactable(db, organizationId, thread)
  if (found === undefined) throw notFound('agentId' in thread ? 'Agent not found' : 'Conversation not found')
  if (found.active_run_id !== null || found.queued_run_count > 0) {
    throw conflict(
      'CONFLICT: A run is at work in this conversation. Compact it when the run has ended; a run compacts by itself.',
      {
        retryAfterSeconds: 1,
        ...(found.active_run_id === null ? {} : { extra: { run_id: found.active_run_id } }),
      },
    )
  }
  return found.id
}

const nothingToCompact = () =>
  invalidArgument(
    'There is nothing to compact: the context has too few messages that may leave it, or the settings keep them. `mode: "all"` keeps the least.',
  )

async function openThread(
  deps: CompactThreadDeps,
  organizationId: string,
  conversationId: string,
  asked: Record<string, unknown> | null,
): Promise<OpenThread> {
  const { db, models, logger, config } = deps
  const row = await findThread(db, organizationId, conversationId)
  if (row === undefined) throw notFound('Conversation not found')
  const rows = await listContextMessages(db, organizationId, row)
  const model = await models.getModel(row.conversation_model ?? row.model, organizationId)
  const settings = compactionSettingsOf(row.compaction_settings, asked)
  const own = resolveModelSettings(row.model_settings, row.conversation_model_settings, row.response_format)
  const tools = toolDefinitions(row, findBuiltinTool)
  const windowTokens = await windowOf(
    { models, maxContextWindow: config.globalMaxContextWindow },
    organizationId,
    row,
    model,
  )
  const size = {
    windowTokens,
    budgetTokens: budgetOf(windowTokens, own, model.info),
    tokenRatio: 1,
    fixedTokens: estimateTokens(row.system_prompt) + estimateTokens(JSON.stringify(tools)),
    rowTokens: rows.map(estimateRow),
  }
  const toTranscript = (part: readonly MessageRow[]) =>
    toTurnTranscript(part, { thread: row, budgetTokens: size.budgetTokens })
  const task: SummaryTask = {
    models,
    organizationId,
    logger,
    settings,
    model,
    rows,
    rowTokens: size.rowTokens,
    firstOwnRow: rows.length,
    // fewer messages after it than before
    leastRows: 2,
    ...compactionTargets(size, settings.sliding_window_percentage),
    own: { systemPrompt: row.system_prompt, tools, settings: own, toTranscript },
  }
  return { organizationId, row, model, size, task }
}

const whereOf = ({ organizationId, row }: OpenThread) => ({
  organizationId,
  agentId: row.agent_id,
  conversationId: row.conversation_id,
  lease: null,
})

async function save(
  { db }: CompactThreadDeps,
  open: OpenThread,
  { cut, lastLeft, startAt, content }: ContextSummary,
  summarizer: Summarizer,
): Promise<void> {
  const { organizationId, row, size, task, model } = open
  const contextCount = task.rows.length - cut + 2
  const stats = {
    trigger: 'manual' as const,
    context_tokens_before: contextTokens(size),
    context_tokens_after: contextTokens({
      ...size,
      rowTokens: [estimateTokens(content.summary), ...size.rowTokens.slice(cut)],
    }),
    context_window: size.windowTokens,
    messages_count_before: task.rows.length + 1,
    messages_count_after: contextCount,
  }
  const outcome = await saveCompaction(db, {
    ...whereOf(open),
    summary: toSummaryMessage(content, stats, { timezone: row.timezone, now: new Date() }),
    calls: summarizer.calls,
    lastLeft,
    startAt,
    former: { startSeq: row.context_start_seq, summaryId: row.summary_message_id },
    events: [],
  })
  if (outcome === 'lost') throw notFound('Conversation not found')
  if (outcome === 'changed') {
    throw conflict('CONFLICT: The context of this conversation was changed while it was summarised. Try again.', {
      retryAfterSeconds: 1,
    })
  }
  await recompileSystemPrompt(db, {
    organizationId,
    thread: row,
    contextCount,
    hasLineNumbers: likesLineNumbers(model.info),
    now: new Date(),
  })
}
