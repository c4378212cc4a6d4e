import { addAbortListener } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '#context.ts'
import { REPLAYED } from '#http/plugins/idempotency.ts'
import type { EventStream } from '#http/wire/event-stream.ts'
import { openEventStream } from '#http/wire/open-event-stream.ts'
import { DomainError, notFound } from '#platform/errors.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { type AnswerEvent, createAnswerReader } from './answer-reader.ts'

/** Writes an answer in the protocol of one API. It ends the stream with the `end` event, or with a failure. */
export interface AnswerWriter {
  begin(): void
  write(event: AnswerEvent): void
  /** Instead of the end. */
  fail(error: Error): void
}

/**
 * Starts a run and streams its answer. A client that goes away ends the stream, not the run. None of these APIs can go on with a
 * stream that was cut off, so a server that stops says so as an error.
 */
export async function streamAnswer(
  context: Context,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  run: NewRun,
  createWriter: (stream: EventStream, runId: string) => AnswerWriter,
): Promise<FastifyReply> {
  const read = createAnswerReader(run.request.view)
  // events of a run that is quick can come before the headers are out
  const early: (() => void)[] = []
  let receive = (event: RunEvent): void => void early.push(() => receive(event))
  let finish = (): void => void early.push(() => finish())
  const started = await context.runs.start(
    run,
    (event) => receive(event),
    () => finish(),
  )
  if (started?.follower === undefined) throw notFound('Agent not found')
  const { follower } = started
  if (started.isRepeated) reply.header(REPLAYED, 'true')

  const stream = openEventStream({ request, reply }, follower, 'text/event-stream; charset=utf-8')
  const writer = createWriter(stream, follower.runId)
  const ping = setInterval(() => stream.ping(), context.config.keepaliveIntervalMs)
  const lastCall = addAbortListener(context.shutdown.lastCall, () => writer.fail(stopping(follower.runId)))
  const stop = (): void => {
    clearInterval(ping)
    lastCall[Symbol.dispose]()
    follower.close()
  }
  reply.raw.once('close', stop)

  writer.begin()
  receive = (event) => {
    for (const part of read(event)) writer.write(part)
  }
  finish = () => writer.fail(new DomainError('gone', 'What comes next of this answer is not kept any more.'))
  for (const event of early) event()
  if (reply.raw.destroyed) stop()
  return reply
}

const stopping = (runId: string): Error =>
  new DomainError('unavailable', `This server stops. The agent's work goes on: GET /v1/runs/${runId}.`)
