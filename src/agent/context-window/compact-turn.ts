import type { Turn } from '#agent/open-turn.ts'
import { likesLineNumbers } from '#agent/prompts/likes-line-numbers.ts'
import { recompileSystemPrompt } from '#agent/prompts/refresh-system-prompt.ts'
import { toRow } from '#agent/to-row.ts'
import { toTurnTranscript } from '#agent/transcript.ts'
import { patiently, type Work } from '#agent/work.ts'
import { estimateTokens } from '#llm/estimate-tokens.ts'
import { newOrderedId } from '#platform/ids.ts'
import { findThread } from '#store/conversations/load-thread.ts'
import { recordProviderCalls, saveCompaction } from '#store/conversations/save-compaction.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import { compactionSettingsOf } from './compaction-settings.ts'
import { compactionTargets, contextTokens, isTooFull } from './context-limits.ts'
import { estimateRow } from './fit-context.ts'
import { canCompact, type SummaryTask, summarizeContext } from './summarize-context.ts'
import { Summarizer } from './summarizer.ts'
import { type CompactionTrigger, toSummaryMessage } from './summary-text.ts'

/**
 * Compacts the context of a turn if it is too full for the next call: what leaves is summarised, or noted as left out where no
 * summary comes in time. The messages of the turn itself stay. Throws ModelError when the run is cancelled or lost meanwhile.
 */
export async function makeRoom(work: Work, turn: Turn, trigger: CompactionTrigger): Promise<void> {
  if (!isTooFull(turn)) return
  const task = toTask(work, turn)
  if (!canCompact(task)) return
  const { db, summaryTimeoutMs } = work.options
  const { signal, log } = work.context
  const tokensBefore = contextTokens(turn)
  const countBefore = turn.rows.length + 1
  const contextWindow = turn.windowTokens
  const told = { trigger, contextTokens: tokensBefore, contextWindow, at: new Date().toISOString() }
  log.append({ type: 'compaction', id: newOrderedId('message'), ...told })

  const summarizer = new Summarizer(signal, summaryTimeoutMs)
  const thread = { ...threadOf(turn), lease: turn.lease }
  const { cut, lastLeft, startAt, content } = await summarizeContext(task, summarizer).catch(async (error: unknown) => {
    await patiently(work, () => recordProviderCalls(db, thread, summarizer.calls))
    throw error
  })
  const kept = { rows: turn.rows.slice(cut), tokens: turn.rowTokens.slice(cut) }
  const stats = {
    trigger,
    context_tokens_before: tokensBefore,
    context_tokens_after: contextTokens({
      ...turn,
      rowTokens: [estimateTokens(content.summary), ...kept.tokens],
    }),
    context_window: contextWindow,
    messages_count_before: countBefore,
    messages_count_after: kept.rows.length + 2,
  }
  const summary = toSummaryMessage(content, stats, { timezone: turn.thread.timezone, now: new Date() })
  const row = toRow(turn, summary)
  const sealed = await log.seal([{ type: 'message', message: row }])
  const outcome = await patiently(work, () =>
    saveCompaction(db, {
      ...thread,
      summary,
      calls: summarizer.calls,
      lastLeft,
      startAt,
      former: { startSeq: turn.thread.context_start_seq, summaryId: turn.thread.summary_message_id },
      events: sealed.batches,
    }),
  )
  // the next commit of the run finds out, and does nothing
  if (outcome === 'lost') return
  sealed.tell(outcome === 'saved' ? undefined : [])
  if (outcome === 'changed') return reloadContext(work, turn)
  work.options.logger.info(
    { trigger, messages_before: countBefore, messages_after: stats.messages_count_after, left_out: content.leftOut },
    'context compacted',
  )
  turn.rows = [row, ...kept.rows]
  turn.rowTokens = [estimateRow(row), ...kept.tokens]
  turn.firstOwnRow -= cut - 1
  turn.thread.context_start_seq = lastLeft.seq + 1
  turn.thread.summary_message_id = summary.id
  await refreshPrompt(work, turn)
}

const threadOf = ({ run }: Turn) => ({
  organizationId: run.organization_id,
  agentId: run.agent_id,
  conversationId: run.conversation_id,
})

function toTask({ options }: Work, turn: Turn): SummaryTask {
  const settings = compactionSettingsOf(turn.thread.compaction_settings)
  return {
    models: options.models,
    organizationId: turn.run.organization_id,
    logger: options.logger,
    settings,
    model: turn.model,
    rows: turn.rows,
    rowTokens: turn.rowTokens,
    firstOwnRow: turn.firstOwnRow,
    leastRows: 1,
    ...compactionTargets(turn, settings.sliding_window_percentage),
    own: {
      systemPrompt: turn.systemPrompt,
      tools: turn.tools,
      settings: turn.settings,
      toTranscript: (rows) => toTurnTranscript(rows, turn),
    },
  }
}

/** The context as somebody else has left it: a compaction that was asked for before this run began. */
async function reloadContext(work: Work, turn: Turn): Promise<void> {
  const { db } = work.options
  const { organizationId, conversationId } = threadOf(turn)
  const thread = await patiently(work, () => findThread(db, organizationId, conversationId))
  if (thread === undefined) return
  turn.rows = await patiently(work, () => listContextMessages(db, organizationId, thread))
  turn.rowTokens = turn.rows.map(estimateRow)
  const firstOwnRow = turn.rows.findIndex((row) => row.run_id === turn.run.id && row.role !== 'summary')
  turn.firstOwnRow = firstOwnRow < 0 ? turn.rows.length : firstOwnRow
  turn.thread = { ...thread, blocks: turn.thread.blocks }
}

/** The prompt says how much lies outside of the context, and what was cached behind it is lost anyway. */
async function refreshPrompt(work: Work, turn: Turn): Promise<void> {
  if (turn.run.request.overrideSystem !== null) return
  turn.systemPrompt = await patiently(work, () =>
    recompileSystemPrompt(work.options.db, {
      organizationId: turn.run.organization_id,
      thread: turn.thread,
      contextCount: turn.rows.length + 1,
      hasLineNumbers: likesLineNumbers(turn.model.info),
      now: new Date(),
    }),
  )
  turn.fixedTokens = estimateTokens(turn.systemPrompt) + estimateTokens(JSON.stringify(turn.tools))
}
