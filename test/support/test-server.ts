import { Letta } from '@letta-ai/letta-client'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { DEFAULT_USER_ID, newId } from '#platform/ids.ts'
import { buildServer } from '#server.ts'
import { statement } from '#store/db.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { responseProblems } from './response-checks.ts'
import { createTestContext, type TestOverrides } from './test-context.ts'

export interface TestResponse<Body> {
  status: number
  body: Body
  headers: Record<string, unknown>
}

const ADD_ORGANIZATION = statement(
  'test-add-organization',
  `with added as (insert into organizations (id, name) values ($1, 'another'))
   insert into users (organization_id, id, name) values ($1, $2, 'somebody')`,
)

/** Header by which a test asks as another organisation; no server but this one knows it. */
export const TEST_ORGANIZATION = 'x-test-organization'

type Method = 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'

export interface TestServer {
  app: App
  context: Context
  /** One request in process. Throws when a 2xx answer does not match the route's schema or V1's. */
  request<Body = Record<string, unknown>>(
    method: Method,
    url: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<TestResponse<Body>>
  /** The official client, over a real socket; the first call starts listening. */
  sdk(): Promise<Letta>
  baseUrl(): Promise<string>
  /** Makes another organisation, with its own built-in tools; `headers` ask as it. */
  addOrganization(): Promise<{ organizationId: string; headers: Record<string, string> }>
  /** Throws when any answer, also to the client, did not match its schema. */
  close(): Promise<void>
}

/** The whole server in process, on a database of its own. `overrides` replace parts of its context. */
export async function startTestServer(overrides: TestOverrides = {}): Promise<TestServer> {
  const context = await createTestContext(overrides)
  const app = await buildServer(context)
  const problems: string[] = []
  app.addHook('onSend', async (request, reply, payload) => {
    const isJson = String(reply.getHeader('content-type') ?? '').includes('json')
    if (isJson && typeof payload === 'string' && reply.statusCode < 300) {
      problems.push(...responseProblems(request, reply.statusCode, JSON.parse(payload)))
    }
  })
  app.addHook('onRequest', async (request) => {
    const organizationId = request.headers[TEST_ORGANIZATION]
    if (typeof organizationId === 'string') request.actor = { ...request.actor, organizationId }
  })
  await app.ready()
  const failOnProblems = () => {
    if (problems.length > 0) throw new Error(problems.splice(0).join('\n'))
  }
  let address: Promise<string> | undefined
  const baseUrl = () => {
    address ??= app.listen({ host: '127.0.0.1', port: 0 })
    return address
  }
  return {
    app,
    context,
    baseUrl,
    async request<Body>(method: Method, url: string, body?: unknown, headers: Record<string, string> = {}) {
      const response = await app.inject({
        method,
        url,
        headers,
        ...(body === undefined ? {} : { payload: body as object }),
      })
      failOnProblems()
      const isJson = String(response.headers['content-type'] ?? '').includes('json')
      return {
        status: response.statusCode,
        body: (isJson ? response.json() : response.body) as Body,
        headers: response.headers,
      }
    },
    sdk: async () => new Letta({ baseURL: await baseUrl(), apiKey: context.config.apiKey ?? null, maxRetries: 0 }),
    async addOrganization() {
      const organizationId = newId('org')
      await context.db.query(ADD_ORGANIZATION, [organizationId, DEFAULT_USER_ID])
      await ensureBuiltinTools(context.db, organizationId)
      return { organizationId, headers: { [TEST_ORGANIZATION]: organizationId } }
    },
    async close() {
      await app.close()
      await context[Symbol.asyncDispose]()
      failOnProblems()
    },
  }
}
