import { addAbortListener } from 'node:events'
import type { FastifyReply } from 'fastify'
import { threadNotFound } from '#agent/get-thread.ts'
import type { Context } from '#context.ts'
import { REPLAYED } from '#http/plugins/idempotency.ts'
import { presentCompactionOf } from '#http/wire/present-compaction-event.ts'
import { isWanted, type MessageView, type MessageWire, presentMessage } from '#http/wire/present-message.ts'
import { ModelError } from '#llm/model.ts'
import { DomainError } from '#platform/errors.ts'
import { retellRun } from '#runs/retell-run.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
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

/**
 * Starts a run and waits for its end. The client may go away meanwhile; the run does not. A server that stops tells its clients
 * to ask again where that is safe: the answer is then that of this run.
 */
export async function collectResponse(
  { db, runs, shutdown }: Pick<Context, 'db' | 'runs' | 'shutdown'>,
  reply: FastifyReply,
  run: NewRun,
): Promise<ResponseWire> {
  const told: Told = { rows: [] }
  const ended = Promise.withResolvers<void>()
  const listen = (event: RunEvent): void => {
    if (event.type === 'message') told.rows.push(event.message)
    else if (event.type === 'run-end') {
      told.end = event
      ended.resolve()
    }
  }
  const started = await runs.start(run, listen, () => ended.resolve())
  if (started === undefined) throw threadNotFound(run.thread)
  if (started.isRepeated) reply.header(REPLAYED, 'true')
  const isStopping = Promise.withResolvers<void>()
  using _ = addAbortListener(shutdown.lastCall, () => isStopping.resolve())
  await Promise.race([ended.promise, isStopping.promise])
  if (told.end === undefined && shutdown.lastCall.aborted) {
    started.follower?.close()
    throw interrupted(started.runId, run)
  }
  // what may be asked again is told from the database, to everyone the same
  if (told.end === undefined || (run.keys ?? []).length > 0) {
    const events = await retellRun(db, run.organizationId, started.runId)
    told.rows = events.flatMap((event) => (event.type === 'message' ? [event.message] : []))
    told.end = events.findLast((event) => event.type === 'run-end')
  }
  return present(told, run)
}

interface Told {
  rows: MessageRow[]
  end?: RunEnd | undefined
}

function present({ rows, end }: Told, { request }: NewRun): ResponseWire {
  if (end === undefined) throw new Error('the run has no end')
  const failure = failureOf(end)
  if (failure !== undefined && !rows.some((row) => row.role !== 'summary')) throw failure
  return {
    messages: presentAnswer(rows, request.view),
    stop_reason: { message_type: 'stop_reason', stop_reason: end.stopReason },
    usage: presentUsage(end.usage, end.stepCount, end.companionRunIds),
    logprobs: null,
    turns: null,
  }
}

/** What the agent said and did, and, for those who ask, how its context was compacted meanwhile. */
function presentAnswer(rows: readonly MessageRow[], view: MessageView): MessageWire[] {
  const shown = rows.filter((row) => row.role !== 'summary' || view.include_compaction_messages === true)
  return shown
    .flatMap((row) => [...presentCompactionOf(row), ...presentMessage(row, view)])
    .filter((message) => isWanted(message.message_type, view))
}

function interrupted(runId: string, { keys }: NewRun): DomainError {
  return new DomainError('unavailable', `This server stops. The run goes on: GET /v1/runs/${runId}.`, {
    extra: { run_id: runId },
    retryAfterSeconds: 1,
    canRetry: (keys ?? []).length > 0,
  })
}
