import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ErrorBody } from '#http/wire/errors.ts'
import { DomainError } from '#platform/errors.ts'
import { VERSION } from '#platform/version.ts'
import { pingDatabase } from '#store/ping-database.ts'
import { HealthSchema } from './health-schema.ts'

/** What a load balancer waits for before it takes the server out. */
const TIMEOUT_MS = 2000

/** Ready for requests: the database answers in time. Its migrations are applied before the server listens. */
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
          response: { 200: HealthSchema, 503: ErrorBody },
        },
      },
      async () => {
        if (!(await pingDatabase(context.db, TIMEOUT_MS))) {
          throw new DomainError('unavailable', `The database did not answer within ${TIMEOUT_MS} ms.`, {
            retryAfterSeconds: 1,
          })
        }
        return { version: VERSION, status: 'ok' }
      },
    )
  }
}
