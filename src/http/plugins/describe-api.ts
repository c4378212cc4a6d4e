import swagger from '@fastify/swagger'
import type { App } from '#http/app.ts'

/** Collects the routes that are registered after it into the OpenAPI document, which `GET /openapi.json` gives. */
export async function describeApi(app: App, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Perdure',
        version,
        description:
          'A server for stateful LLM agents: memory they edit themselves, durable runs, the Letta V1 REST API.',
      },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }, {}],
    },
  })
  app.get('/openapi.json', { schema: { hide: true }, config: { permission: 'public' } }, async () => app.swagger())
}
