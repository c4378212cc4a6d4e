import { decodeEvents, firstSeqBefore } from '#runs/encode-events.ts'
import type { SentMessage } from './client.ts'
import type { SeedState } from './seed-state.ts'
import { FIRST_CALL } from './simulated-model.ts'
import { mayFollow } from './stream-reader.ts'
import type { ModelCall, World } from './world.ts'

type Run = SeedState['runs'][number]
type Message = SeedState['messages'][number]

const MARK = /<\d+\.\d+>/g
const OWNER_RANGE = firstSeqBefore(2)

/** What is wrong with what a seed has left behind; nothing, if the engine keeps its promises. */
export function checkSeed(world: World, sent: readonly SentMessage[], state: SeedState): string[] {
  const problems = [...world.violations, ...world.journal.violations]
  const complain = (problem: string) => void problems.push(problem)
  const messagesOf = Map.groupBy(state.messages, (message) => message.run_id ?? '')
  const runById = new Map(state.runs.map((run) => [run.id, run]))
  for (const message of sent) {
    const run = runById.get(message.runId)
    if (message.outcome === 'accepted' && run === undefined) complain(`${message.text} was accepted and is gone`)
  }
  for (const run of state.runs) checkRun(world, run, messagesOf.get(run.id) ?? [], sent, complain)
  checkOrder(sent, state, complain)
  checkTools(state, complain)
  checkLedger(world, sent, state, complain)
  const batches = Map.groupBy(state.events, (batch) => batch.run_id)
  for (const run of state.runs) checkLog(world, run, messagesOf.get(run.id) ?? [], batches.get(run.id) ?? [], complain)
  for (const { reader, text } of sent.flatMap(({ readers, text }) => readers.map((reader) => ({ reader, text })))) {
    if (reader.stopReason === undefined) continue
    const run = runById.get(reader.runId)
    const told = reader.messageIds.join()
    const stored = (messagesOf.get(reader.runId) ?? [])
      .filter(isAnswer)
      .map((message) => message.id)
      .join()
    if (told !== stored) complain(`a reader of ${text} was told ${told}, stored is ${stored}`)
    if (run?.stop_reason !== reader.stopReason) {
      complain(`a reader of ${text} was told the end ${reader.stopReason}, stored is ${run?.stop_reason}`)
    }
  }
  return problems
}

const isAnswer = (message: Message): boolean => message.role === 'assistant' || message.role === 'tool'

/** Answered or failed explicitly, with a reason that the simulation gave; the transcript valid. */
function checkRun(
  world: World,
  run: Run,
  messages: readonly Message[],
  sent: readonly SentMessage[],
  complain: (problem: string) => void,
): void {
  const message = sent.find(({ runId }) => runId === run.id)
  const name = `${message?.text ?? '?'} (${run.id})`
  const { status, stop_reason } = run
  if (status === 'created' || status === 'running') complain(`${name} has no end: ${status}`)
  const calls = [...world.modelCalls.values()].filter(({ text }) => text === message?.text)
  const outcomes = new Set(calls.map(({ outcome }) => outcome))
  if (status === 'failed') {
    const isExpected =
      stop_reason === 'max_tokens_exceeded' ||
      (run.error?.type === 'internal_error' ? outcomes.has('broken') : outcomes.has('failed'))
    if (!isExpected) complain(`${name} failed without a reason: ${stop_reason} ${JSON.stringify(run.error)}`)
  }
  if (status === 'cancelled' && !(message?.isCancelled && run.is_cancel_requested)) {
    complain(`${name} was cancelled, and nobody had asked for it`)
  }
  const roles = messages.map(({ role }) => role).join(' ')
  const isCancelled = status === 'cancelled'
  const isUntouched = isCancelled && roles === ''
  const pattern = isCancelled ? /^user( assistant tool)* note$/ : /^user( assistant tool)*( assistant)?$/
  if (!isUntouched && !pattern.test(roles)) complain(`${name}, ${status}, is ${roles}`)
  if (status === 'completed' && stop_reason !== 'end_turn') complain(`${name} completed with ${stop_reason}`)
  for (const [index, { role, tool_calls }] of messages.entries()) {
    if (role !== 'assistant' || tool_calls === null) continue
    const results = messages[index + 1]?.tool_returns?.map(({ tool_call_id }) => tool_call_id).join()
    const wanted = tool_calls.map(({ tool_call_id }) => tool_call_id).join()
    if (wanted !== results) complain(`${name}: calls ${wanted} have the results ${results}`)
  }
}

/** Run after run in each thread, as they were queued; and what was accepted before another was sent comes before it. */
function checkOrder(sent: readonly SentMessage[], state: SeedState, complain: (problem: string) => void): void {
  const positions = new Map(state.runs.map((run, index) => [run.id, index]))
  for (const [agentId, messages] of Map.groupBy(state.messages, (message) => message.agent_id)) {
    const order: string[] = []
    for (const { run_id } of messages) if (run_id !== null && order.at(-1) !== run_id) order.push(run_id)
    if (new Set(order).size !== order.length) complain(`runs of ${agentId} are mixed up: ${order}`)
    const queued = order.toSorted((one, other) => (positions.get(one) ?? 0) - (positions.get(other) ?? 0))
    if (queued.join() !== order.join()) complain(`runs of ${agentId} were queued as ${queued} and began as ${order}`)
  }
  for (const one of sent) {
    for (const other of sent) {
      if (one.agentId !== other.agentId || one.acceptedAt === undefined || one.acceptedAt > other.sentAt) continue
      const [first, second] = [positions.get(one.runId), positions.get(other.runId)]
      if (first !== undefined && second !== undefined && first > second) {
        complain(`${other.text} was sent after ${one.text} was accepted and came before it`)
      }
    }
  }
}

/** Each call has one row and one result, and each effect was applied once. */
function checkTools(state: SeedState, complain: (problem: string) => void): void {
  const called = state.messages.flatMap(({ tool_calls, step_id }) =>
    (tool_calls ?? []).map(({ tool_call_id }) => `${step_id} ${tool_call_id}`),
  )
  const rows = state.tool_calls.map(({ step_id, tool_call_id }) => `${step_id} ${tool_call_id}`)
  if (called.toSorted().join() !== rows.toSorted().join())
    complain(`the messages call ${called}, the table has ${rows}`)
  const marksOf = (tool: string) =>
    state.tool_calls
      .filter(({ tool_name, result }) => tool_name === tool && result?.status === 'success')
      .flatMap(({ arguments: args }) => args.match(MARK) ?? [])
      .toSorted()
      .join()
  const inBlocks = state.blocks.flatMap(({ value }) => value.match(MARK) ?? [])
  const inPassages = state.passages.flatMap(({ text }) => text.match(MARK) ?? [])
  if (marksOf('memory_insert') !== inBlocks.toSorted().join()) {
    complain(`memory_insert succeeded for ${marksOf('memory_insert')}, the block has ${inBlocks}`)
  }
  if (marksOf('archival_memory_insert') !== inPassages.toSorted().join()) {
    complain(`archival_memory_insert succeeded for ${marksOf('archival_memory_insert')}, there is ${inPassages}`)
  }
  const versions = state.blocks.reduce((sum, { version }) => sum + version - 1, 0)
  if (versions !== inBlocks.length) complain(`${versions} versions of the blocks, ${inBlocks.length} edits`)
}

/**
 * Ledger and provider agree: each step has one row, of the model call whose answer it stored, and each such call has one. What
 * has none: calls that failed with a foreseen error, or were cancelled, have a row without tokens; calls whose process died, that
 * were given up (hand-over, lost lease), or whose answer came after the lease was lost have no row, though the provider counts them.
 */
function checkLedger(
  world: World,
  sent: readonly SentMessage[],
  state: SeedState,
  complain: (problem: string) => void,
): void {
  const ledger = state.provider_calls
  const steps = new Map(state.steps.map((step) => [step.id, step]))
  if (ledger.length !== steps.size || new Set(ledger.map(({ step_id }) => step_id)).size !== steps.size) {
    complain(`${ledger.length} rows in the ledger, ${steps.size} steps`)
  }
  for (const run of state.runs) {
    const indexes = state.steps.filter(({ run_id }) => run_id === run.id).map(({ step_index }) => step_index)
    const expected = Array.from({ length: run.step_count }, (_, index) => index + 1)
    if (indexes.join() !== expected.join()) complain(`${run.id} counts ${run.step_count} steps and has ${indexes}`)
  }
  const paid = new Set<number>()
  for (const { input_tokens: number, status, step_id } of ledger) {
    if (steps.get(step_id)?.status !== status) complain(`ledger and step ${step_id} disagree`)
    if (status !== 'success') continue
    if (paid.has(number)) complain(`call ${number} is in the ledger twice`)
    paid.add(number)
    if (world.modelCalls.get(number)?.outcome !== 'answered') complain(`call ${number} in the ledger was not answered`)
  }
  for (const { role, step_id, content, id } of state.messages) {
    if (role !== 'assistant' || step_id === null) continue
    const row = ledger.find((entry) => entry.step_id === step_id)
    if (row === undefined) complain(`${id} has no row in the ledger`)
    const text = content.flatMap((part) => (part.type === 'text' ? [part.text ?? ''] : [])).join('')
    const said = /w(\d+)\.0/.exec(text)?.[1]
    if (said !== undefined && Number(said) !== row?.input_tokens) complain(`${id} is paid as ${row?.input_tokens}`)
  }
  checkCancelledCalls(world, sent, state, complain)
  for (const [number, call] of world.modelCalls) {
    if (call.outcome !== 'answered' || paid.has(number) || number < FIRST_CALL) continue
    const { owner, state: processState, isDead } = call.process
    if (isDead || call.signal.aborted || wasRefused(world, sent, call)) continue
    complain(`call ${number} of ${call.text} by ${owner}, ${processState}, was answered and is not in the ledger`)
  }
}

/** A call that was under way when its run was cancelled has a row that says so, and no other call has. */
function checkCancelledCalls(
  world: World,
  sent: readonly SentMessage[],
  state: SeedState,
  complain: (problem: string) => void,
): void {
  for (const { runId, text } of sent) {
    const rows = state.provider_calls.filter(({ run_id, status }) => run_id === runId && status === 'cancelled').length
    const unfinished = [...world.modelCalls.values()].filter(
      (call) => call.text === text && call.outcome !== 'answered' && call.signal.reason === 'cancelled',
    )
    if (rows > unfinished.length)
      complain(`${rows} calls of ${text} cancelled by the ledger, ${unfinished.length} were`)
    const told = unfinished.filter(
      (call) => call.outcome === 'unfinished' && !call.process.isDead && !wasRefused(world, sent, call),
    )
    if (rows < told.length) complain(`${told.length} calls of ${text} were cancelled, the ledger has ${rows}`)
  }
}

/** A process that has lost a run without knowing can find the next run's message in the thread and answer that. */
function wasRefused(world: World, sent: readonly SentMessage[], call: ModelCall): boolean {
  const agentId = sent.find(({ text }) => text === call.text)?.agentId
  return sent.some(
    (message) => message.agentId === agentId && world.journal.refusals.has(`${call.process.owner} ${message.runId}`),
  )
}

/** Any reader can be told the whole run again: without holes, each message once and in order, one end and nothing after it. */
function checkLog(
  world: World,
  run: Run,
  messages: readonly Message[],
  batches: SeedState['events'],
  complain: (problem: string) => void,
): void {
  let cursor = 0
  for (const batch of batches) {
    if (batch.first_seq <= cursor) complain(`log of ${run.id}: ${batch.first_seq} overlaps ${cursor}`)
    else if (!mayFollow(cursor, batch.first_seq)) complain(`log of ${run.id}: a hole before ${batch.first_seq}`)
    const token = Math.floor((batch.first_seq - 1) / OWNER_RANGE) + 1
    if (token > Math.max(run.lease_token, 1)) complain(`log of ${run.id}: token ${token} is not given yet`)
    if (world.journal.isBatchLate(run.id, token, batch.first_seq)) {
      complain(`log of ${run.id}: ${batch.first_seq} was stored after the lease was lost`)
    }
    cursor = batch.last_seq
  }
  const entries = batches.flatMap(decodeEvents)
  const references = entries.flatMap(({ event }) => (event.type === 'message-reference' ? [event.messageId] : []))
  const answers = messages.filter(isAnswer)
  if (references.join() !== answers.map(({ id }) => id).join()) {
    complain(`log of ${run.id} has the messages ${references}, stored are ${answers.map(({ id }) => id)}`)
  }
  const ends = entries.filter(({ event }) => event.type === 'end-reference')
  if (ends.length !== 1 || entries.at(-1)?.event.type !== 'end-reference') {
    complain(`log of ${run.id} has ${ends.length} ends, the last event is ${entries.at(-1)?.event.type}`)
  }
  const texts = new Map<string, string>()
  for (const { seq, event } of entries) {
    if (event.type === 'text-delta') texts.set(event.messageId, (texts.get(event.messageId) ?? '') + event.text)
    if (event.type !== 'message-reference' || !event.hasDeltas) continue
    const stored = messages.find(({ id }) => id === event.messageId)
    const text = stored?.content.flatMap((part) => (part.type === 'text' ? [part.text ?? ''] : [])).join('') ?? ''
    if ((texts.get(event.messageId) ?? '') !== text)
      complain(`log of ${run.id}: at ${seq} '${text}' was told otherwise`)
  }
}
