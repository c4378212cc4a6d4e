import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '#context.ts'
import { EventStream } from '#http/wire/event-stream.ts'
import { notFound } from '#platform/errors.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import type { MessageRequest } from './message-request-schema.ts'
import { createStreamPresenter, presentPing } from './stream-presenter.ts'

/**
 * Starts a run and streams it. The status is sent once the run is accepted; what fails later comes as an event. A client that
 * goes away ends the stream, not the run.
 */
export async function streamResponse(
  context: Context,
  http: { request: FastifyRequest; reply: FastifyReply },
  run: NewRun,
  body: MessageRequest,
): Promise<FastifyReply> {
  const { request, reply } = http
  const present = createStreamPresenter({
    runId: run.runId,
    hasTokens: body.stream_tokens ?? false,
    view: run.request.view,
  })
  // events of a run that is quick can come before the headers are out
  const early: RunEvent[] = []
  let receive = (event: RunEvent): void => void early.push(event)
  const started = await context.runs.start(run, (event) => receive(event))
  if (started === undefined) throw notFound('Agent not found')

  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache, no-transform',
    // nginx would hold events back
    'x-accel-buffering': 'no',
  })
  // without pings the first event can be a minute away
  reply.raw.flushHeaders()
  const stream = new EventStream(reply.raw, () =>
    request.log.warn({ run_id: run.runId }, 'the client does not read its stream and was cut off; the run goes on'),
  )
  const hasPings = body.include_pings ?? true
  if (hasPings) stream.send(presentPing(run.runId))
  const ping = hasPings
    ? setInterval(() => stream.send(presentPing(run.runId)), context.config.keepaliveIntervalMs)
    : undefined
  reply.raw.once('close', () => clearInterval(ping))

  receive = (event) => {
    for (const { data, isError } of present(event)) {
      if (isError) stream.sendError(data)
      else stream.send(data)
    }
    if (event.type === 'run-end') {
      clearInterval(ping)
      stream.end()
    }
  }
  for (const event of early) receive(event)
  request.log.debug({ run_id: run.runId }, 'streaming')
  return reply
}
