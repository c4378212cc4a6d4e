import { type MessageWire, presentMessages } from '#http/wire/present-message.ts'
import { ModelError } from '#llm/model.ts'
import { DomainError, notFound } from '#platform/errors.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { StopReason } from '#store/runs/run-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { presentUsage } from './present-usage.ts'

/** The whole answer of a run that is not streamed. */
export interface ResponseWire {
  messages: MessageWire[]
  stop_reason: { message_type: 'stop_reason'; stop_reason: StopReason }
  usage: ReturnType<typeof presentUsage>
  logprobs: null
  turns: null
}

type RunEnd = Extract<RunEvent, { type: 'run-end' }>

/**
 * What a failed run answers: the provider's error with its status. A run that failed after it had said something answers
 * with what there is and its stop reason, since its messages are stored.
 */
function failureOf(end: RunEnd): Error | undefined {
  if (end.error === null) return undefined
  const { cause, message } = end.error
  if (cause instanceof ModelError || cause instanceof DomainError) return cause
  return new DomainError('internal', message)
}

/** Starts a run and waits for its end. The client may go away meanwhile; the run does not. */
export async function collectResponse(runs: RunEngine, run: NewRun): Promise<ResponseWire> {
  const rows: Extract<RunEvent, { type: 'message' }>['message'][] = []
  const ended = Promise.withResolvers<RunEnd>()
  const started = await runs.start(run, (event) => {
    if (event.type === 'message') rows.push(event.message)
    else if (event.type === 'run-end') ended.resolve(event)
  })
  if (started === undefined) throw notFound('Agent not found')
  const end = await ended.promise
  const failure = failureOf(end)
  if (failure !== undefined && rows.length === 0) throw failure
  return {
    messages: presentMessages(rows, run.request.view),
    stop_reason: { message_type: 'stop_reason', stop_reason: end.stopReason },
    usage: presentUsage(end.usage, end.stepCount),
    logprobs: null,
    turns: null,
  }
}
