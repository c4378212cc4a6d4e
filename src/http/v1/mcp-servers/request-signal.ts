import type { FastifyReply } from 'fastify'

/** Aborted when the client goes before it has its answer: what was asked for it is cancelled. */
export function requestSignal(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) controller.abort()
  })
  return controller.signal
}
