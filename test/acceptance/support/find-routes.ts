import { Letta } from '@letta-ai/letta-client'
import { listSdkOperations } from './sdk-operations.ts'

export interface SdkRoute {
  operation: string
  method: string
  /** With parameters as `{agent_id}`. */
  path: string
}

type Method = (...args: unknown[]) => PromiseLike<unknown>

/** Parameters of the client's methods that are objects; the others are ids and other parts of the path. */
const OBJECTS = new Set(['params', 'body', 'query', 'options'])

/** What each operation of the official client sends where, as the client itself does it; nothing leaves the process. */
export async function findSdkRoutes(): Promise<SdkRoute[]> {
  let sent: { method: string; path: string } | undefined
  const client = new Letta({
    apiKey: null,
    baseURL: 'http://localhost',
    maxRetries: 0,
    fetch: async (url, init) => {
      const path = decodeURIComponent(new URL(String(url)).pathname)
      sent = { method: (init?.method ?? 'GET').toUpperCase(), path }
      return new Response('{}', { headers: { 'content-type': 'application/json' } })
    },
  })
  const routes: SdkRoute[] = []
  for (const operation of listSdkOperations(client)) {
    sent = undefined
    await call(client, operation)
    if (sent === undefined) throw new Error(`${operation} sent nothing`)
    routes.push({ operation, ...(sent as { method: string; path: string }) })
  }
  return routes
}

async function call(client: Letta, operation: string): Promise<void> {
  const names = operation.split('.')
  const name = names.pop() ?? ''
  const resource = names.reduce<Record<string, unknown>>(
    (parent, part) => parent[part] as Record<string, unknown>,
    client as unknown as Record<string, unknown>,
  )
  const method = resource[name] as Method
  // an empty answer is not what all of them expect: they have sent their request all the same
  await method.apply(resource, parametersOf(method).map(placeholder)).then(undefined, () => {})
}

/** Names of the parameters, from the source of the method: `retrieve(agentID, query = {}, options) {`. */
function parametersOf(method: Method): string[] {
  const list = /^[^(]*\(([^)]*)\)/.exec(String(method))?.[1] ?? ''
  return list
    .split(',')
    .map((parameter) => parameter.split('=')[0]?.trim() ?? '')
    .filter((parameter) => parameter !== '' && parameter !== 'options')
}

function placeholder(parameter: string): unknown {
  if (!OBJECTS.has(parameter))
    return `{${parameter.replace(/ID$/, '_id').replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}}`
  // has every part of a path that is asked for, and nothing that would go into a query or a body
  return new Proxy({}, { get: (_, key) => (typeof key === 'string' ? `{${key}}` : undefined) })
}
