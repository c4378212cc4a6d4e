import { resolveModelSettings } from '#agent/model-settings.ts'
import { estimateTokens } from '#llm/estimate-tokens.ts'
import {
  type Model,
  ModelError,
  type ModelRegistry,
  type ModelSettings,
  type ToolDefinition,
  type TranscriptMessage,
} from '#llm/model.ts'
import { DomainError, errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { chooseCut } from './choose-cut.ts'
import { type CompactionSettings, cheapSummarizer } from './compaction-settings.ts'
import { type ConversationPiece, renderConversation } from './render-conversation.ts'
import type { Summarizer } from './summarizer.ts'
import { ACKNOWLEDGEMENT, READY, selfSummaryPrompt, summarizerPrompt } from './summary-prompt.ts'
import { readSummaryMessage, type SummaryContent } from './summary-text.ts'

/** A conversation that is too long for one call is read in so many parts at most, each with the summary of those before it. */
const MAX_STAGES = 4
/** Below this a summariser reads too little at once to be of use. */
const MIN_PIECE_TOKENS = 400
/** Part of the summariser's window that we fill: its tokens are not exactly ours. */
const WINDOW_SHARE = 0.8
/** Tokens kept free for the summary. */
const REPLY_TOKENS = 4_096
/** How often the parts are halved when the summariser finds them too long. */
const MAX_HALVINGS = 2

/** What is to be summarised, by whom and how. All token counts are estimates. */
export interface SummaryTask {
  models: ModelRegistry
  organizationId: string
  logger: Logger
  settings: CompactionSettings
  model: Model
  /** The context without its system message; the first row may be a summary. */
  rows: readonly MessageRow[]
  rowTokens: readonly number[]
  firstOwnRow: number
  /** Rows that leave at least. */
  leastRows: number
  /** Tokens that rows which stay may have, where not all leaves. */
  targetTokens: number
  /** Tokens that the summary may have. */
  maxSummaryTokens: number
  /** For a model that summarises itself: its own request. */
  own: {
    systemPrompt: string
    tools: ToolDefinition[]
    settings: ModelSettings
    toTranscript: (rows: readonly MessageRow[]) => TranscriptMessage[]
  }
}

export interface ContextSummary {
  /** Rows before this one leave. */
  cut: number
  /** The newest row that leaves. */
  lastLeft: MessageRow
  /** No row that stays is older. */
  startAt: Date
  content: SummaryContent
  /** Why there is no summary, where there is none. */
  failure: ModelError | undefined
}

/** One way to get a summary: what leaves, and whether the agent's model writes it at the end of its own prompt. */
interface Attempt {
  takesAll: boolean
  isSelf: boolean
}

const ATTEMPTS: Record<CompactionSettings['mode'], Attempt[]> = {
  sliding_window: [{ takesAll: false, isSelf: false }],
  all: [{ takesAll: true, isSelf: false }],
  self_compact_sliding_window: [
    { takesAll: false, isSelf: true },
    { takesAll: false, isSelf: false },
  ],
  self_compact_all: [
    { takesAll: true, isSelf: true },
    { takesAll: false, isSelf: true },
    { takesAll: true, isSelf: false },
  ],
}

const cutFor = (
  { rows, rowTokens, firstOwnRow, leastRows, settings, targetTokens }: SummaryTask,
  takesAll: boolean,
): number =>
  chooseCut({
    rows,
    tokens: rowTokens,
    firstOwnRow,
    leastRows,
    takesAll,
    percentage: settings.sliding_window_percentage,
    targetTokens,
  })

/** True where something may leave. */
export const canCompact = (task: SummaryTask): boolean => cutFor(task, true) > 0

/**
 * Decides what leaves the context and has it summarised, by the mode's way and those that it falls back to. Without a summary
 * as little as possible leaves, and the content says so. Never throws, unless the summary is not wanted any more (ModelError).
 */
export async function summarizeContext(task: SummaryTask, summarizer: Summarizer): Promise<ContextSummary> {
  const former = formerSummary(task.rows)
  let failure: ModelError | undefined
  for (const { takesAll, isSelf } of ATTEMPTS[task.settings.mode]) {
    if (summarizer.isOver && failure !== undefined) break
    const cut = cutFor(task, takesAll)
    try {
      const content = isSelf
        ? await askItself(task, summarizer, cut, takesAll)
        : await askAnother(task, summarizer, cut, takesAll)
      const leftOut = former.leftOut + content.leftOut
      return { ...splitAt(task, cut), content: { summary: clip(content.summary, task), leftOut }, failure: undefined }
    } catch (error) {
      failure = toFailure(error)
      if (summarizer.isUnwanted) throw failure
      task.logger.warn({ kind: failure.kind, error: errorMessage(error) }, 'no summary of what leaves the context')
    }
  }
  const cut = cutFor(task, false)
  const leftOut = former.leftOut + countSaid(task.rows.slice(0, cut))
  return { ...splitAt(task, cut), content: { summary: clip(former.summary, task), leftOut }, failure }
}

function splitAt({ rows }: SummaryTask, cut: number): Pick<ContextSummary, 'cut' | 'lastLeft' | 'startAt'> {
  const lastLeft = rows[cut - 1] as MessageRow
  const times = rows.slice(cut - 1).map((row) => row.created_at.getTime())
  return { cut, lastLeft, startAt: new Date(Math.min(...times)) }
}

const toFailure = (error: unknown): ModelError =>
  error instanceof ModelError ? error : new ModelError('server_error', errorMessage(error), { cause: error })

const formerSummary = ([first]: readonly MessageRow[]): SummaryContent =>
  first?.role === 'summary' ? readSummaryMessage(first.content) : { summary: '', leftOut: 0 }

/** Messages that clients and models know of. */
const countSaid = (rows: readonly MessageRow[]): number =>
  rows.filter(({ role }) => role !== 'summary' && role !== 'note').length

/** The agent's model, with the very prompt that it has had: the provider's cache knows it. */
async function askItself(
  { model, own, rows, settings }: SummaryTask,
  summarizer: Summarizer,
  cut: number,
  takesAll: boolean,
): Promise<SummaryContent> {
  const text = settings.prompt ?? selfSummaryPrompt(takesAll ? 'all' : 'part')
  const { response_format: _, ...ownSettings } = own.settings
  const summary = await summarizer.ask(model, {
    messages: [
      { role: 'system', text: own.systemPrompt },
      ...own.toTranscript(rows.slice(0, cut)),
      { role: 'user', content: [{ type: 'text', text }] },
    ],
    tools: own.tools,
    toolChoice: own.tools.length > 0 ? { type: 'none' } : { type: 'auto' },
    settings: ownSettings,
  })
  return { summary, leftOut: 0 }
}

/** Another model, or the agent's without its prompt, which reads what leaves as a text. */
async function askAnother(
  task: SummaryTask,
  summarizer: Summarizer,
  cut: number,
  takesAll: boolean,
): Promise<SummaryContent> {
  const model = await summarizer.within(findSummarizer(task))
  try {
    return await readWith(model, task, summarizer, cut, takesAll)
  } catch (error) {
    // nobody has chosen the cheap model, and the key may not be allowed to ask it
    if (task.settings.model !== null || model === task.model || summarizer.isOver) throw error
    task.logger.warn(
      { model: model.info.handle, error: errorMessage(error) },
      'the model of the agent writes the summary',
    )
    return readWith(task.model, task, summarizer, cut, takesAll)
  }
}

/** The summary by a model that reads in as many parts as its window needs. */
async function readWith(
  model: Model,
  task: SummaryTask,
  summarizer: Summarizer,
  cut: number,
  takesAll: boolean,
): Promise<SummaryContent> {
  const prompt = task.settings.prompt ?? summarizerPrompt(takesAll ? 'all' : 'part')
  const former = formerSummary(task.rows)
  const rows = task.rows.slice(0, cut).filter((row) => row.role !== 'summary')
  for (let halvings = 0; ; halvings += 1) {
    const { summaryTokens, ...room } = roomOf(model, prompt, task)
    const pieceTokens = Math.floor(room.pieceTokens / 2 ** halvings)
    if (pieceTokens < MIN_PIECE_TOKENS) {
      throw new ModelError(
        'context_window_exceeded',
        `The context window of ${model.info.handle} is too small to summarise in.`,
      )
    }
    const { pieces, leftOut } = renderConversation(rows, { pieceTokens, maxPieces: MAX_STAGES })
    try {
      const content = await readPieces({ task, summarizer, model, prompt, summaryTokens }, pieces, former.summary)
      return { ...content, leftOut: content.leftOut + leftOut }
    } catch (error) {
      const isTooLong = error instanceof ModelError && error.kind === 'context_window_exceeded'
      if (!isTooLong || halvings === MAX_HALVINGS) throw error
    }
  }
}

/** The model of the settings, a cheap one of the agent's provider, or the agent's own: the first of them that there is. */
async function findSummarizer({ models, organizationId, model, settings, logger }: SummaryTask): Promise<Model> {
  for (const handle of [settings.model, settings.model === null ? cheapSummarizer(model.info) : undefined]) {
    if (handle === null || handle === undefined) continue
    try {
      return await models.getModel(handle, organizationId)
    } catch (error) {
      if (!(error instanceof DomainError)) throw error
      if (handle === settings.model)
        logger.warn({ handle, error: error.message }, 'summariser not found; the model of the agent is asked')
    }
  }
  return model
}

/** Tokens that one call can take of the summary so far and of the conversation, beside instructions and reply. */
function roomOf({ info }: Model, prompt: string, { maxSummaryTokens }: SummaryTask) {
  const reply = Math.min(info.maxOutputTokens ?? REPLY_TOKENS, REPLY_TOKENS, Math.floor(info.contextWindow / 4))
  const room = Math.floor((info.contextWindow - reply) * WINDOW_SHARE) - estimateTokens(prompt) - 100
  const summaryTokens = Math.min(maxSummaryTokens, Math.floor(room / 4))
  return { summaryTokens, pieceTokens: room - summaryTokens }
}

interface Reading {
  task: SummaryTask
  summarizer: Summarizer
  model: Model
  prompt: string
  /** Longest summary that is passed on to the next part. */
  summaryTokens: number
}

/** One part after the other, each with the summary so far. What was summarised counts although a later part fails. */
async function readPieces(
  { task, summarizer, model, prompt, summaryTokens }: Reading,
  pieces: readonly ConversationPiece[],
  formerText: string,
): Promise<SummaryContent> {
  let summary = formerText
  for (const [index, piece] of pieces.entries()) {
    try {
      const text = await summarizer.ask(model, {
        messages: toRequest(prompt, task.settings, clipTokens(summary, summaryTokens), piece.text),
        tools: [],
        toolChoice: { type: 'auto' },
        settings: resolveModelSettings(task.settings.model_settings ?? {}, null, null),
      })
      summary = clip(text, task)
    } catch (error) {
      if (index === 0 || summarizer.isUnwanted) throw error
      const leftOut = pieces.slice(index).reduce((sum, { messageCount }) => sum + messageCount, 0)
      return { summary, leftOut }
    }
  }
  return { summary, leftOut: 0 }
}

function toRequest(
  prompt: string,
  settings: CompactionSettings,
  summary: string,
  conversation: string,
): TranscriptMessage[] {
  const user = (text: string): TranscriptMessage => ({ role: 'user', content: [{ type: 'text', text }] })
  const earlier = summary === '' ? '' : `<earlier_summary>\n${summary}\n</earlier_summary>\n`
  const acknowledged: TranscriptMessage[] = settings.prompt_acknowledgement
    ? [user(READY), { role: 'assistant', content: [{ type: 'text', text: ACKNOWLEDGEMENT }], toolCalls: [] }]
    : []
  return [
    { role: 'system', text: prompt },
    ...acknowledged,
    user(`${earlier}<conversation>\n${conversation}\n</conversation>\nNow write the summary.`),
  ]
}

/** A summary as long as it may be: in characters by the settings, in tokens by the window that it is for. */
const clip = (text: string, { settings, maxSummaryTokens }: SummaryTask): string =>
  clipChars(clipTokens(text, maxSummaryTokens), settings.clip_chars ?? Number.POSITIVE_INFINITY)

function clipTokens(text: string, limit: number): string {
  const tokens = estimateTokens(text)
  return tokens <= limit ? text : clipChars(text, Math.floor((text.length * limit) / tokens))
}

const clipChars = (text: string, limit: number): string =>
  text.length <= limit ? text : `${text.slice(0, Math.max(limit - 1, 0))}…`.toWellFormed()
