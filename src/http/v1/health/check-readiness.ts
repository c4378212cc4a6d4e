import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { VERSION } from '#platform/version.ts'
import { pingDatabase } from '#store/ping-database.ts'
import { NotReadySchema, ReadySchema } from './health-schema.ts'

/** What a load balancer waits for before it takes the server out. */
const TIMEOUT_MS = 2000

/**
 * Ready for requests: not about to stop, and the database answers in time. Its migrations are applied before the server
 * listens. A stopping server still serves what comes; it only asks to be spared.
 */
export function checkReadiness(app: App, context: Context): void {
  for (const url of ['/v1/ready', '/ready']) {
    app.get(
      url,
      {
        config: { permission: 'public', isQuiet: true },
        schema: {
          hide: url === '/ready',
          operationId: 'check_readiness',
          tags: ['health'],
          summary: 'Tell whether the server can serve requests',
          response: { 200: ReadySchema, 503: NotReadySchema },
        },
      },
      async (_request, reply) => {
        if (context.shutdown.begun.aborted) {
          return reply
            .code(503)
            .header('retry-after', '1')
            .send({ detail: 'The server is stopping; ask another one.', reason: 'stopping' })
        }
        if (!(await pingDatabase(context.db, TIMEOUT_MS))) {
          return reply
            .code(503)
            .header('retry-after', '1')
            .send({ detail: `The database did not answer within ${TIMEOUT_MS} ms.`, reason: 'database' })
        }
        const { fanout } = context
        return {
          version: VERSION,
          status: 'ok',
          ...(fanout === undefined ? {} : { redis: fanout.isUp ? ('ok' as const) : ('away' as const) }),
        }
      },
    )
  }
}
