import type { App } from '#http/app.ts'
import { VERSION } from '#platform/version.ts'
import { HealthSchema } from './health-schema.ts'

/** Alive: the process answers. Asks nothing of the database, so that a restart is not the answer to its trouble. */
export function checkHealth(app: App): void {
  for (const url of ['/v1/health', '/health']) {
    app.get(
      url,
      {
        config: { permission: 'public', isQuiet: true },
        schema: {
          hide: url === '/health',
          operationId: 'check_health',
          tags: ['health'],
          summary: 'Tell that the server is alive',
          response: { 200: HealthSchema },
        },
      },
      async () => ({ version: VERSION, status: 'ok' }),
    )
  }
}
