import { DEFAULT_BLOCK_LIMIT } from '#memory/block-rules.ts'
import { factKey, mergeFacts } from '#memory/fact-key.ts'
import { MAX_CONFLICTS, waitAfterConflict } from '#memory/retry-conflicts.ts'
import { errorMessage } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import type { Logger } from '#platform/logger.ts'
import { retryTransient } from '#runs/retry-transient.ts'
import type { ThreadBlock, ThreadTool } from '#store/conversations/load-thread.ts'
import { loadBlocks } from '#store/conversations/load-thread.ts'
import { isLimitReached, isUniqueViolation, sqlState } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import type { NewMessage, ToolReturn } from '#store/messages/message-row.ts'
import type { EventBatch } from '#store/run-events/event-batch.ts'
import type { Lease } from '#store/runs/run-row.ts'
import { commitToolResult, type ToolResultCommit } from '#store/tool-calls/commit-tool-result.ts'
import { type CustomTools, isCustomTool } from '#tools/custom-tools.ts'
import {
  type AgentMessenger,
  type BuiltinTool,
  failure,
  type MemoryEffect,
  type ToolOutcome,
  type ToolServices,
} from '#tools/tool.ts'
import { type ExecutedCall, executeCall, retryOptions } from './execute-call.ts'
import type { Additions } from './inner-thoughts.ts'
import { rebaseOutcome } from './rebase-outcome.ts'

/** A call of the model that has no result yet, or has one from before a crash. */
export interface PendingCall {
  id: string
  created_at: string
  tool_call_id: string
  name: string
  arguments: string
  /** True where a tool that must not be run twice was begun, and nobody knows how far it came. */
  isStarted: boolean
  result: ToolReturn | null
}

export interface ToolRun {
  db: Db
  /** Its lines name the run. */
  logger: Logger
  lease: Lease
  agentId: string
  conversationId: string
  timezone: string
  tools: readonly ThreadTool[]
  findTool: (name: string) => BuiltinTool | undefined
  /** What a call gives without being executed: it breaks a rule, a person refused it, the client has executed it. */
  judge: (call: PendingCall, results: readonly ToolReturn[]) => ToolOutcome | undefined
  /** Names of arguments that a rule has set. */
  prefilled: (call: PendingCall) => readonly string[]
  additions: Additions
  messenger: AgentMessenger | undefined
  /** Undefined where tools that are not the server's own are not run. */
  customTools: CustomTools | undefined
  services: ToolServices
  /** True where tools that allow it may be executed at the same time. */
  allowsParallel: boolean
  /** Current blocks; replaced as calls change them. */
  blocks: ThreadBlock[]
  signal: AbortSignal
  /** True once this process wants to be rid of the run: then it is given up between two calls. */
  isDraining: () => boolean
  /** What is stored right after the message with these results. */
  after: (results: readonly ToolReturn[]) => NewMessage[]
  /** What is stored with the first result. */
  before: NewMessage[]
  /** Numbers the tool message for the streams; `tell` comes after its commit. */
  seal: (message: NewMessage) => Promise<{ batches: EventBatch[]; tell: (message: NewMessage) => void }>
  onStart: (call: PendingCall) => void
}

/** Cuts a result at the tool's limit and says so. `length` is that of the whole, where the text is a part of it. */
export function limitText(text: string, limit: number, length = text.length): string {
  if (length <= limit) return text
  const note = `... [NOTE: function output was truncated since it exceeded the character limit: ${length} > ${limit}]`
  return text.slice(0, limit).toWellFormed() + note
}

type CommitEffects = Pick<ToolResultCommit, 'edits' | 'newBlocks' | 'detachedBlockIds' | 'passages' | 'fileViews'>

function toCommit(effects: readonly MemoryEffect[]): CommitEffects {
  const commit: CommitEffects = { edits: [], newBlocks: [], detachedBlockIds: [], passages: [], fileViews: [] }
  for (const effect of effects) {
    if (effect.type === 'update-block') {
      const { blockId, expectedVersion, label, value, description } = effect
      commit.edits.push({ id: blockId, expected_version: expectedVersion, label, value: cleanText(value), description })
    } else if (effect.type === 'create-block') {
      const { label, value, description } = effect
      commit.newBlocks.push({
        id: newId('block'),
        label,
        value: cleanText(value),
        description,
        char_limit: DEFAULT_BLOCK_LIMIT,
      })
    } else if (effect.type === 'detach-block') commit.detachedBlockIds.push(effect.blockId)
    else if (effect.type === 'view-files') commit.fileViews.push(...effect.views)
    else {
      const text = cleanText(effect.text)
      const tags = [...new Set(effect.tags.map(cleanText))]
      commit.passages.push({ id: newOrderedId('passage'), text, tags, fact_key: factKey(text) })
    }
  }
  return { ...commit, passages: mergeFacts(commit.passages) }
}

/** A value that no repetition can store (classes 22 and 54), such as a label too long for its index: the model can mend it. */
const isRefusal = (error: unknown): boolean => isLimitReached(error) || /^(22|54)/.test(sqlState(error) ?? '')

/** PostgreSQL stores neither NUL nor half a surrogate pair. */
export const cleanText = (text: string): string => text.replaceAll('\0', '').toWellFormed()

/** What the blocks are after a commit, without reading them again. */
function applyEffects(blocks: readonly ThreadBlock[], commit: CommitEffects): ThreadBlock[] {
  const edits = new Map(commit.edits.map((edit) => [edit.id, edit]))
  const kept = blocks
    .filter((block) => !commit.detachedBlockIds.includes(block.id))
    .map((block) => {
      const edit = edits.get(block.id)
      if (edit === undefined) return block
      return {
        ...block,
        label: edit.label,
        value: edit.value,
        description: edit.description,
        version: block.version + 1,
      }
    })
  return [...kept, ...commit.newBlocks.map((block) => ({ ...block, read_only: false, version: 1 }))]
}

/**
 * Executes one call and commits effect and result together; again from a fresh read where another writer was faster between our read and our
 * write.
 */
async function runCall(
  run: ToolRun,
  call: PendingCall,
  results: readonly ToolReturn[],
  /** What is stored with the result; what streams tell of it is the tool message. */
  messagesWith: (result: ToolReturn) => NewMessage[],
  /** The call where it is under way already. */
  begun: Promise<ExecutedCall | undefined> | undefined,
): Promise<{ result: ToolReturn; messages: NewMessage[] } | undefined> {
  const limit = run.tools.find((tool) => tool.name === call.name)?.return_char_limit ?? Number.POSITIVE_INFINITY
  let refusal: string | undefined
  let executed: ExecutedCall | undefined
  let sealed: Awaited<ReturnType<ToolRun['seal']>> | undefined
  for (let conflicts = 0; ; conflicts += 1) {
    if (conflicts === MAX_CONFLICTS) {
      refusal = 'The memory block is being edited by others all the time. Try again later.'
    }
    if (executed?.isFinal !== true) {
      executed = await (conflicts === 0 && begun !== undefined ? begun : executeCall(run, call, results))
    }
    if (executed === undefined) return undefined
    const outcome: ToolOutcome = refusal === undefined ? executed.outcome : failure(refusal)
    const effects = toCommit(outcome.status === 'success' ? (outcome.effects ?? []) : [])
    const result: ToolReturn = {
      tool_call_id: call.tool_call_id,
      name: call.name,
      status: outcome.status,
      text: cleanText(limitText(outcome.text, limit, outcome.textLength)),
      stdout: outcome.stdout?.map(cleanText) ?? null,
      stderr: outcome.stderr?.map(cleanText) ?? null,
      time: new Date().toISOString(),
      ...(outcome.images === undefined ? {} : { images: outcome.images }),
      ...(outcome.is_violation ? { is_violation: true } : {}),
      ...(outcome.is_fatal ? { is_fatal: true } : {}),
    }
    const messages = messagesWith(result)
    const message = messages.find((candidate) => candidate.role === 'tool')
    if (message !== undefined) sealed ??= await run.seal(message)
    const change: ToolResultCommit = {
      agentId: run.agentId,
      conversationId: run.conversationId,
      call,
      result,
      ...effects,
      newArchiveId: newId('archive'),
      messages,
      events: sealed?.batches ?? [],
    }
    try {
      const committed = await retryTransient(retryOptions(run), async (isRepeated) => {
        const answer = await commitToolResult(run.db, run.lease, change)
        // the answer to an earlier attempt may have been lost after it was committed
        return isRepeated && answer === 'already-finished' ? 'committed' : answer
      })
      if (committed !== 'committed') return undefined
      run.blocks = applyEffects(run.blocks, effects)
      if (message !== undefined) sealed?.tell(message)
      return { result, messages }
    } catch (error) {
      if (refusal === undefined && isRefusal(error)) {
        refusal = `The change could not be stored: ${errorMessage(error).replace(/\.$/, '')}.`
        continue
      }
      if (sqlState(error) !== 'PD001' && !isUniqueViolation(error)) throw error
      await waitAfterConflict(conflicts, run.signal)
      const before = run.blocks
      run.blocks = await retryTransient(retryOptions(run), () =>
        loadBlocks(run.db, run.lease.organizationId, run.conversationId),
      )
      if (executed.isFinal) executed = { ...executed, outcome: rebaseOutcome(executed.outcome, before, run.blocks) }
    }
  }
}

/**
 * Executes the calls of one step in order, each with its effect and result in one transaction; the last one brings the tool
 * message with the results of all. Calls that have a result from before a crash are not executed again.
 * @returns the message and what was stored after it, or undefined when the lease is lost or the run handed over: then another process goes on
 */
export async function runTools(
  run: ToolRun,
  stepId: string,
  calls: readonly PendingCall[],
): Promise<NewMessage[] | undefined> {
  const results = calls.flatMap((call) => (call.result === null ? [] : [call.result]))
  const open = calls.filter((call) => call.result === null)
  const messageId = newOrderedId('message')
  const buildMessage = (all: readonly ToolReturn[]): NewMessage => ({
    id: messageId,
    role: 'tool',
    content: [],
    tool_returns: calls.flatMap((call) => all.find((result) => result.tool_call_id === call.tool_call_id) ?? []),
    step_id: stepId,
    search_text: all
      .filter((result) => !/_(search|files)$/.test(result.name))
      .map((result) => result.text)
      .join('\n'),
  })
  let stored: NewMessage[] = []
  const begun = new Map<string, Promise<ExecutedCall | undefined>>()
  for (const [index, call] of open.entries()) {
    if ((run.signal.aborted && run.signal.reason !== 'cancelled') || run.isDraining()) return undefined
    if (!begun.has(call.id)) beginTogether(run, open.slice(index), results, begun)
    if (!begun.has(call.id)) run.onStart(call)
    const isLast = index === open.length - 1
    const messagesWith = (given: ToolReturn) => {
      const all = [...results, given]
      return [...(index === 0 ? run.before : []), ...(isLast ? [buildMessage(all), ...run.after(all)] : [])]
    }
    const done = await runCall(run, call, results, messagesWith, begun.get(call.id))
    if (done === undefined) return undefined
    results.push(done.result)
    stored = [...stored, ...done.messages]
  }
  return stored.length > 0 ? stored : [buildMessage(results)]
}

/** Begins the calls at the head of these whose tools may be executed at the same time, where there are two or more of them. */
function beginTogether(
  run: ToolRun,
  calls: readonly PendingCall[],
  results: readonly ToolReturn[],
  begun: Map<string, Promise<ExecutedCall | undefined>>,
): void {
  const isParallel = (call: PendingCall): boolean =>
    run.tools.some((tool) => tool.name === call.name && tool.is_parallel && isCustomTool(tool.tool_type))
  const firstOther = calls.findIndex((call) => !isParallel(call))
  const head = firstOther === -1 ? calls : calls.slice(0, firstOther)
  if (!run.allowsParallel || head.length < 2) return
  for (const call of head) {
    run.onStart(call)
    const executing = executeCall(run, call, results)
    // whoever waits for it hears of it; until then it is no fault that nobody minds
    executing.catch(() => {})
    begun.set(call.id, executing)
  }
}
