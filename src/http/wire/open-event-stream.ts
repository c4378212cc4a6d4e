import type { FastifyReply, FastifyRequest } from 'fastify'
import { EventStream } from './event-stream.ts'

/** Whoever tells the events: it is held back while the client does not read. */
interface Source {
  runId: string
  pause(): void
  resume(): void
}

/** Sends the head of an answer of server-sent events at once, and gives what writes them. */
export function openEventStream(
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  source: Source,
  contentType: string,
): EventStream {
  reply.hijack()
  reply.raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': contentType,
    'cache-control': 'no-cache, no-transform',
    // nginx would hold events back
    'x-accel-buffering': 'no',
  })
  // without pings the first event can be a minute away
  reply.raw.flushHeaders()
  return new EventStream(reply.raw, {
    onFull: () => source.pause(),
    onDrain: () => source.resume(),
    onStalled: () => request.log.warn({ run_id: source.runId }, 'the client did not read its stream and was cut off'),
  })
}
