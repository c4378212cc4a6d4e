import type { App } from '#http/app.ts'

/**
 * Once the server is stopping, every answer says that it is the last one on its connection: proxies and clients open the next
 * one elsewhere, and none sends a request into a connection that is just being closed.
 */
export function closeConnectionsWhenStopping(app: App, stopping: AbortSignal): void {
  app.addHook('onSend', async (_request, reply) => {
    if (stopping.aborted) reply.header('connection', 'close')
  })
  // streams write their headers by themselves, with those that the reply has
  app.addHook('preHandler', async (_request, reply) => {
    if (stopping.aborted) reply.header('connection', 'close')
  })
}
