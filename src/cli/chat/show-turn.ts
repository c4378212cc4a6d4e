import { DomainError, errorMessage } from '#platform/errors.ts'
import type { Api } from './api.ts'
import { explainConnection, explainTurn } from './explain-failure.ts'
import type { LineInput } from './line-input.ts'
import type { Screen } from './screen.ts'
import { readBlocks, showMemoryChanges } from './show-memory.ts'
import type { Agent, Block, ToolCallWire, ToolReturnWire, TurnEvent } from './wire.ts'

export interface TurnContext {
  api: Api
  screen: Screen
  input: LineInput
  agent: Agent
}

/** What is known of a turn while it goes on. */
interface Turn {
  runId: string | undefined
  /** Tools that were called, by the id of the call. */
  calls: Map<string, string>
  blocks: Block[]
  stopReason: string | undefined
}

const THINKING = 'thinking'
/** Tools that write to memory blocks. */
const MEMORY_TOOL = /^(core_)?memory(_|$)/

/** Why a turn ended early, for the user; every other reason needs no words or comes with an error. */
const ENDINGS: Readonly<Record<string, string>> = {
  cancelled: 'Cancelled.',
  max_steps: 'The agent stopped: it took as many steps as a turn may have. Say "go on" to let it continue.',
  max_tokens_exceeded: 'The answer was cut off: it reached the most tokens that one may have.',
  tool_rule: 'The agent stopped after a tool, as its tool rules say.',
}

/**
 * Says something to the agent and shows what it does and answers. Ctrl-C cancels the turn, a second one leaves it to itself.
 * Throws DomainError when the turn failed; returns false when it was cancelled.
 */
export async function showTurn(context: TurnContext, text: string): Promise<boolean> {
  const { api, agent, input, screen } = context
  const turn: Turn = { runId: undefined, calls: new Map(), blocks: await readBlocks(api, agent), stopReason: undefined }
  const cancellation = createCancellation(context, turn)
  screen.wait(THINKING)
  try {
    await input.whileInterruptible(cancellation.interrupt, async () => {
      const body = { input: text, stream_tokens: true }
      const events = api.stream(`/v1/agents/${agent.id}/messages/stream`, body, cancellation.signal)
      for await (const { data } of connected(api, events, cancellation.signal)) {
        if (data === '[DONE]') break
        await showEvent(context, turn, JSON.parse(data) as TurnEvent)
        await cancellation.retry()
      }
    })
  } finally {
    screen.endLine()
  }
  if (cancellation.signal.aborted) return false
  if (turn.stopReason === undefined) throw interrupted(api, turn)
  const ending = ENDINGS[turn.stopReason]
  if (ending !== undefined) screen.note(ending, 'yellow')
  return turn.stopReason !== 'cancelled'
}

/** Asks the server to cancel the run, at once or as soon as its id is known. */
function createCancellation({ api, agent, screen }: TurnContext, turn: Turn) {
  const abort = new AbortController()
  let isWanted = false
  let isSent = false
  const send = async (): Promise<void> => {
    if (!isWanted || isSent || turn.runId === undefined) return
    isSent = true
    try {
      await api.send('POST', `/v1/agents/${agent.id}/messages/cancel`, { run_ids: [turn.runId] })
    } catch (error) {
      // it may have ended meanwhile; then the stream tells
      screen.note(errorMessage(error), 'dim')
    }
  }
  return {
    signal: abort.signal,
    retry: send,
    interrupt: () => {
      if (isWanted) return abort.abort()
      isWanted = true
      screen.wait('cancelling (Ctrl-C again leaves the turn to itself)')
      void send()
    },
  }
}

/** Turns a connection that breaks into words, and one that we gave up into an end. */
async function* connected<Event>(api: Api, events: AsyncIterable<Event>, signal: AbortSignal): AsyncGenerator<Event> {
  try {
    yield* events
  } catch (error) {
    if (signal.aborted) return
    // undici says only "terminated" when the other side is gone; the caller knows from the missing stop reason
    if (error instanceof TypeError) return
    throw error instanceof DomainError ? error : explainConnection(api.url, error)
  }
}

function interrupted(api: Api, { runId }: Turn): DomainError {
  const run = runId === undefined ? '' : ` (${runId})`
  return new DomainError(
    'unavailable',
    `The connection to ${api.url} broke in the middle of the turn. What was said is kept, and the turn${run} goes on as soon as the server runs.`,
  )
}

async function showEvent(context: TurnContext, turn: Turn, event: TurnEvent): Promise<void> {
  const { screen } = context
  switch (event.message_type) {
    case 'ping':
      turn.runId ??= event.run_id ?? undefined
      return
    case 'reasoning_message':
      return screen.reasoning(event.reasoning)
    case 'assistant_message':
      return screen.answer(textOf(event.content))
    case 'tool_call_message':
      return showCalls(screen, turn, [event.tool_calls].flat())
    case 'tool_return_message':
      return showReturns(context, turn, event.tool_returns)
    case 'stop_reason':
      turn.stopReason = event.stop_reason
      return
    case 'error_message':
      throw explainTurn(event)
  }
}

/** Tools that were not seen before; the many pieces of their arguments are not shown. */
function showCalls(screen: Screen, turn: Turn, calls: readonly ToolCallWire[]): void {
  for (const { tool_call_id, name } of calls) {
    if (turn.calls.has(tool_call_id)) continue
    turn.calls.set(tool_call_id, name)
    screen.work([...turn.calls.values()].join(', '))
  }
}

async function showReturns(
  { api, agent, screen }: TurnContext,
  turn: Turn,
  returns: readonly ToolReturnWire[],
): Promise<void> {
  let hasEdited = false
  for (const { tool_call_id, status, tool_return } of returns) {
    const name = turn.calls.get(tool_call_id) ?? 'tool'
    turn.calls.delete(tool_call_id)
    hasEdited ||= MEMORY_TOOL.test(name)
    if (status === 'success') screen.note(`✓ ${name}`, 'dim')
    else screen.note(`✗ ${name}: ${tool_return}`, 'red')
  }
  if (hasEdited) {
    const blocks = await readBlocks(api, agent)
    showMemoryChanges(screen, turn.blocks, blocks)
    turn.blocks = blocks
  }
  screen.wait(THINKING)
}

const textOf = (content: string | readonly { text?: string }[]): string =>
  typeof content === 'string' ? content : content.map((part) => part.text ?? '').join('')
