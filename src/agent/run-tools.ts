import { addAbortListener } from 'node:events'
import { parseToolArguments } from '#llm/parse-tool-arguments.ts'
import { DEFAULT_BLOCK_LIMIT } from '#memory/block-rules.ts'
import { errorMessage } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import type { Logger } from '#platform/logger.ts'
import { retryTransient } from '#runs/retry-transient.ts'
import type { ThreadBlock, ThreadTool } from '#store/conversations/load-thread.ts'
import { loadBlocks } from '#store/conversations/load-thread.ts'
import { isTransient, isUniqueViolation, sqlState } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import type { NewMessage, ToolReturn } from '#store/messages/message-row.ts'
import type { EventBatch } from '#store/run-events/event-batch.ts'
import type { Lease } from '#store/runs/run-row.ts'
import { commitToolResult, type ToolResultCommit } from '#store/tool-calls/commit-tool-result.ts'
import { startToolCall } from '#store/tool-calls/start-tool-call.ts'
import { isCustomTool, refuseMissingTool, runCustomTool } from '#tools/custom-tool.ts'
import { type AgentMessenger, type BuiltinTool, failure, type MemoryEffect, type ToolOutcome } from '#tools/tool.ts'
import { findArgumentProblem } from '#tools/validate-arguments.ts'
import { type Additions, withoutAdditions } from './inner-thoughts.ts'

/** Another writer can change a block between our read and our write; each attempt reads it anew. */
const MAX_CONFLICTS = 20

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

/** Cuts a result at the tool's limit and says so. */
export function limitText(text: string, limit: number): string {
  if (text.length <= limit) return text
  const note = `... [NOTE: function output was truncated since it exceeded the character limit: ${text.length} > ${limit}]`
  return text.slice(0, limit).toWellFormed() + note
}

/** Said of a call that was begun and whose end nobody knows. */
const INTERRUPTED = 'The server was interrupted while this tool ran; it may or may not have taken effect.'
const CANCELLED_BEFORE = 'The user cancelled the request, so this tool was not run.'
const CANCELLED_MEANWHILE = 'The user cancelled the request while this tool ran, so its result is not known.'

/** @returns undefined when the run is not ours any more */
async function executeCall(
  run: ToolRun,
  call: PendingCall,
  results: readonly ToolReturn[],
): Promise<ToolOutcome | undefined> {
  if (call.isStarted) return failure(INTERRUPTED)
  const verdict = run.judge(call, results)
  if (verdict !== undefined) return verdict
  if (run.signal.reason === 'cancelled') return failure(CANCELLED_BEFORE)
  const attached = run.tools.find((tool) => tool.name === call.name)
  if (attached === undefined) {
    const names = run.tools.map((candidate) => candidate.name).join(', ')
    return failure(`There is no tool \`${call.name}\`. Available tools: ${names || 'none'}.`)
  }
  const isCustom = isCustomTool(attached.tool_type)
  const tool = isCustom ? undefined : run.findTool(call.name)
  if (tool === undefined && !isCustom) return refuseMissingTool(call.name)
  const parsed = parseToolArguments(call.arguments)
  if (!parsed.ok) {
    return failure(`The arguments of ${call.name} could not be read: ${parsed.problem} Send one JSON object.`)
  }
  const args = withoutAdditions(call.name, parsed.value, run.additions)
  if (tool === undefined) return runCustomTool(attached)
  const refusal = refuseArguments(tool, args, run.prefilled(call))
  if (refusal !== undefined) return refusal
  const isExternal = tool.durability === 'external'
  if (isExternal && !(await beginCall(run, call))) return undefined
  const execute = async () =>
    tool.execute(args, {
      organizationId: run.lease.organizationId,
      agentId: run.agentId,
      conversationId: run.conversationId,
      runId: run.lease.runId,
      timezone: run.timezone,
      blocks: run.blocks,
      db: run.db,
      signal: run.signal,
      callId: call.id,
      messenger: run.messenger,
    })
  try {
    // what the others do before their commit has no effect, or the same again, so it can be repeated
    const outcome = await unlessAborted(
      run.signal,
      isExternal ? execute : () => retryTransient(retryOptions(run), execute),
    )
    if (outcome === undefined) return run.signal.reason === 'cancelled' ? failure(CANCELLED_MEANWHILE) : undefined
    return isExternal ? { status: outcome.status, text: outcome.text } : outcome
  } catch (error) {
    if (isTransient(error) && !isExternal) throw error
    run.logger.warn({ tool: call.name, error: errorMessage(error) }, 'tool failed')
    return failure(`Error executing function ${call.name}: ${errorMessage(error)}`)
  }
}

/** What is wrong with arguments: for the model to mend, or, where a rule has set what does not fit, the end of the turn. */
function refuseArguments(
  tool: BuiltinTool,
  args: Record<string, unknown>,
  prefilled: readonly string[],
): ToolOutcome | undefined {
  const { properties = {} } = tool.parameters as { properties?: object }
  const unknown = prefilled.filter((name) => !Object.hasOwn(properties, name))
  if (unknown.length > 0) {
    const text = `A tool rule sets arguments that ${tool.name} does not have: ${unknown.join(', ')}.`
    return { ...failure(text), is_fatal: true }
  }
  const problem = findArgumentProblem(tool.parameters, args)
  if (problem === undefined) return undefined
  const isOfRule = prefilled.some((name) =>
    problem.split('; ').some((part) => /^[ .]/.test(part.slice(name.length)) && part.startsWith(name)),
  )
  return { ...failure(`Invalid arguments for ${tool.name}: ${problem}.`), ...(isOfRule ? { is_fatal: true } : {}) }
}

/** Stores that a call was begun before it is: whoever takes the run over will not begin it again. */
async function beginCall(run: ToolRun, call: PendingCall): Promise<boolean> {
  // a call that has begun already was begun here: the answer to an earlier attempt got lost
  const outcome = await retryTransient(retryOptions(run), () => startToolCall(run.db, run.lease, call))
  return outcome !== 'lease-lost'
}

/** What the work gives, or undefined as soon as the signal is aborted: a tool that does not mind it is left alone with its work. */
async function unlessAborted<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result | undefined> {
  if (signal.aborted) return undefined
  const aborted = Promise.withResolvers<undefined>()
  const listener = addAbortListener(signal, () => aborted.resolve(undefined))
  try {
    return await Promise.race([work(), aborted.promise])
  } finally {
    listener[Symbol.dispose]()
  }
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
    else
      commit.passages.push({
        id: newOrderedId('passage'),
        text: cleanText(effect.text),
        tags: effect.tags.map(cleanText),
      })
  }
  return commit
}

/** A value that no repetition can store (classes 22 and 54), such as a label too long for its index: the model can mend it. */
const isRefusal = (error: unknown): boolean => /^(22|54)/.test(sqlState(error) ?? '')

const retryOptions = (run: ToolRun) => ({ signal: run.signal, logger: run.logger })

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

/** Executes one call and commits effect and result together; again from a fresh read where another writer was faster. */
async function runCall(
  run: ToolRun,
  call: PendingCall,
  results: readonly ToolReturn[],
  /** What is stored with the result; what streams tell of it is the tool message. */
  messagesWith: (result: ToolReturn) => NewMessage[],
): Promise<{ result: ToolReturn; messages: NewMessage[] } | undefined> {
  const limit = run.tools.find((tool) => tool.name === call.name)?.return_char_limit ?? Number.POSITIVE_INFINITY
  let refusal: string | undefined
  let sealed: Awaited<ReturnType<ToolRun['seal']>> | undefined
  for (let conflicts = 0; ; conflicts += 1) {
    if (conflicts === MAX_CONFLICTS) {
      refusal = 'The memory block is being edited by others all the time. Try again later.'
    }
    const outcome = refusal === undefined ? await executeCall(run, call, results) : failure(refusal)
    if (outcome === undefined) return undefined
    const effects = toCommit(outcome.status === 'success' ? (outcome.effects ?? []) : [])
    const result: ToolReturn = {
      tool_call_id: call.tool_call_id,
      name: call.name,
      status: outcome.status,
      text: cleanText(limitText(outcome.text, limit)),
      stdout: outcome.stdout ?? null,
      stderr: outcome.stderr ?? null,
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
        refusal = `The change could not be stored: ${errorMessage(error)}.`
        continue
      }
      if (sqlState(error) !== 'PD001' && !isUniqueViolation(error)) throw error
      run.blocks = await retryTransient(retryOptions(run), () =>
        loadBlocks(run.db, run.lease.organizationId, run.conversationId),
      )
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
  for (const [index, call] of open.entries()) {
    if ((run.signal.aborted && run.signal.reason !== 'cancelled') || run.isDraining()) return undefined
    run.onStart(call)
    const isLast = index === open.length - 1
    const done = await runCall(run, call, results, (given) => {
      const all = [...results, given]
      return [...(index === 0 ? run.before : []), ...(isLast ? [buildMessage(all), ...run.after(all)] : [])]
    })
    if (done === undefined) return undefined
    results.push(done.result)
    stored = [...stored, ...done.messages]
  }
  return stored.length > 0 ? stored : [buildMessage(results)]
}
