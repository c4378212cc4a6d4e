import { addAbortListener } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { threadNotFound } from '#agent/get-thread.ts'
import type { Context } from '#context.ts'
import { REPLAYED } from '#http/plugins/idempotency.ts'
import { openEventStream } from '#http/wire/open-event-stream.ts'
import type { MessageView } from '#http/wire/present-message.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { FollowerListener, RunFollower } from '#runs/run-follower.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import type { MessageRequest } from './message-request-schema.ts'
import { createStreamPresenter, presentPing } from './stream-presenter.ts'

/** Pause after which the client of a server that stops is to connect again: another one is behind the same address. */
const RECONNECT_MS = 200

interface Http {
  request: FastifyRequest
  reply: FastifyReply
}

export interface RunStreamOptions {
  runId: string
  view: MessageView
  hasTokens: boolean
  hasPings: boolean
  /** Number of the last event that the client has. */
  after: number
}

type Over = 'complete' | 'expired'

/** Starts a run and streams it. The status is sent once the run is accepted; what fails later comes as an event. */
export function streamResponse(context: Context, http: Http, run: NewRun, body: MessageRequest): Promise<FastifyReply> {
  const options = {
    runId: run.runId,
    view: run.request.view,
    hasTokens: body.stream_tokens ?? false,
    hasPings: body.include_pings ?? true,
    after: 0,
  }
  return streamRun(context, http, options, async (listener, onOver) => {
    const started = await context.runs.start(run, listener, onOver)
    if (started?.follower === undefined) throw threadNotFound(run.thread)
    if (started.isRepeated) http.reply.header(REPLAYED, 'true')
    return started.follower
  })
}

/**
 * Writes what a follower of a run is told as server-sent events. A client that goes away ends the stream, not the run; one
 * that reads slowly is waited for, and what it misses meanwhile is read from the log; a server that stops tells its clients to
 * come again. A stream is complete only with `[DONE]`.
 * @param follow begins to follow; what it throws is answered before any event is sent
 */
export async function streamRun(
  context: Context,
  { request, reply }: Http,
  options: RunStreamOptions,
  follow: (listener: FollowerListener, onOver: (reason: Over) => void) => Promise<RunFollower>,
): Promise<FastifyReply> {
  // events of a run that is quick can come before the headers are out
  const early: (() => void)[] = []
  let receive = (event: RunEvent, seq: number): void => void early.push(() => receive(event, seq))
  let finish = (reason: Over): void => void early.push(() => finish(reason))
  const follower = await follow(
    (event, seq) => receive(event, seq),
    (reason) => finish(reason),
  )
  // of a request that comes again it is the run of the first one
  const { runId } = follower
  const present = createStreamPresenter({ ...options, runId })

  const stream = openEventStream({ request, reply }, follower, 'text/event-stream')
  let lastSeq = options.after
  const sendPing = (): void => stream.send(presentPing(runId, lastSeq))
  if (options.hasPings) sendPing()
  const ping = options.hasPings ? setInterval(sendPing, context.config.keepaliveIntervalMs) : undefined
  const lastCall = addAbortListener(context.shutdown.lastCall, () => stream.interrupt(RECONNECT_MS))
  const stop = (): void => {
    clearInterval(ping)
    lastCall[Symbol.dispose]()
    follower.close()
  }
  reply.raw.once('close', stop)

  receive = (event, seq) => {
    for (const chunk of present(event, seq)) {
      lastSeq = chunk.seq
      if (chunk.isError) stream.sendError(chunk.data, chunk.seq)
      else stream.send(chunk.data, chunk.seq)
    }
    if (event.type === 'run-end') stream.end()
  }
  finish = (reason) => {
    if (reason === 'complete') return stream.end()
    const message = 'The next events of this stream are not kept any more; the messages of the run are.'
    stream.sendError({
      message_type: 'error_message',
      run_id: runId,
      error_type: 'stream_incomplete',
      message,
      detail: null,
    })
    stream.end()
  }
  for (const event of early) event()
  if (reply.raw.destroyed) stop()
  request.log.debug({ run_id: runId }, 'streaming')
  return reply
}
