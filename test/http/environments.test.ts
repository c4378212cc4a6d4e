import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Environment {
  id: string
  connectionId: string
  deviceId: string
  [field: string]: unknown
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function register(deviceId: string, body: object = {}): Promise<string> {
  const full = { deviceId, connectionName: `Machine ${deviceId}`, ...body }
  const response = await server.request<{ connectionId: string; wsUrl: string }>(
    'POST',
    '/v1/environments/register',
    full,
  )
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  expect(response.body.wsUrl).toBe('')
  return response.body.connectionId
}
const read = async (deviceId: string) => (await server.request<Environment>('GET', `/v1/environments/${deviceId}`)).body
const list = async (query = '', headers?: Record<string, string>) =>
  (
    await server.request<{ connections: Environment[]; hasNextPage: boolean }>(
      'GET',
      `/v1/environments?${query}`,
      undefined,
      headers,
    )
  ).body
const messages = { messages: [{ role: 'user', content: 'hi', client_message_id: 'c' }] }

test('registered, retrieved, registered again, deleted', async () => {
  const metadata = { os: 'linux', gitBranch: 'main', other: 1 }
  const connectionId = await register('a', { metadata })
  const environment = await read('a')
  expect(environment).toEqual({
    id: expect.stringMatching(/^environment-/),
    connectionId,
    deviceId: 'a',
    connectionName: 'Machine a',
    organizationId: 'org-00000000-0000-4000-8000-000000000000',
    userId: 'user-00000000-0000-4000-8000-000000000000',
    podId: null,
    connectedAt: null,
    lastHeartbeat: null,
    lastSeenAt: expect.any(Number),
    firstSeenAt: expect.any(Number),
    metadata,
  })
  const again = await register('a', { connectionName: 'New' })
  expect(again).not.toBe(connectionId)
  const { metadata: _, ...rest } = environment
  expect(await read('a')).toEqual({
    ...rest,
    connectionId: again,
    connectionName: 'New',
    lastSeenAt: expect.any(Number),
  })
  const gone = await server.request('DELETE', `/v1/environments/${environment.id}`)
  expect(gone.body).toEqual({ success: true, message: expect.any(String) })
  expect((await server.request('DELETE', `/v1/environments/${environment.id}`)).status).toBe(404)
  expect((await server.request('GET', '/v1/environments/a')).status).toBe(404)
})

test('pages and filters', async () => {
  for (const device of ['l1', 'l2', 'l3']) await register(device)
  const devices = async (query: string) => (await list(query)).connections.map(({ deviceId }) => deviceId)
  expect(await devices('')).toEqual(['l3', 'l2', 'l1'])
  const first = await list('limit=2')
  expect(first.hasNextPage).toBe(true)
  expect(await devices(`limit=2&after=${first.connections[1]?.id}`)).toEqual(['l1'])
  expect(await devices('onlineOnly=true')).toEqual([])
  expect(await devices('onlineOnly=false')).toHaveLength(3)
  expect(await devices('source=remote')).toEqual([])
  expect(await devices('userId=nobody')).toEqual([])
  expect((await server.request('GET', '/v1/environments?limit=x')).status).toBe(422)
})

test('a message to one that is not connected is refused, and says what to do', async () => {
  const connectionId = await register('m')
  const send = (id: string, body: object, headers?: Record<string, string>) =>
    server.request('POST', `/v1/environments/${id}/messages`, body, headers)
  const offline = await send(connectionId, messages)
  expect(offline.status).toBe(409)
  expect(offline.headers['x-should-retry']).toBe('false')
  expect(offline.body).toMatchObject({
    errorCode: 'ENVIRONMENT_OFFLINE',
    message: expect.stringContaining('not connected'),
    detail: expect.any(String),
  })
  const unknown = await send('none', messages)
  expect(unknown.status).toBe(404)
  expect(unknown.body).toMatchObject({ errorCode: 'ENVIRONMENT_NOT_FOUND' })
  const { headers } = await server.addOrganization()
  expect((await send(connectionId, messages, headers)).status).toBe(404)
  for (const bad of [{}, { messages: 'x' }, { messages: [{ role: 'user' }] }]) {
    expect((await send(connectionId, bad)).status).toBe(422)
  }
})

test("what is wrong is refused, and another organisation's is unknown", async () => {
  for (const body of [
    {},
    { deviceId: '', connectionName: 'x' },
    { deviceId: 'x' },
    { deviceId: 1, connectionName: 'x' },
  ]) {
    expect((await server.request('POST', '/v1/environments/register', body)).status).toBe(422)
  }
  await register('o')
  const environment = await read('o')
  const { headers } = await server.addOrganization()
  expect((await server.request('GET', '/v1/environments/o', undefined, headers)).status).toBe(404)
  expect((await server.request('DELETE', `/v1/environments/${environment.id}`, undefined, headers)).status).toBe(404)
  expect((await server.request('DELETE', `/v1/environments/${newId('environment')}`)).status).toBe(404)
  expect((await server.request('DELETE', '/v1/environments/x')).status).toBe(422)
  expect(await list('', headers)).toEqual({ connections: [], hasNextPage: false })
  expect(await read('o')).toEqual(environment)
})
