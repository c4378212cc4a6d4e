import { expect } from 'vitest'
import { operation, useServer } from './support/operation.ts'

const server = useServer()

/** The client has no operation that makes one: a program on the machine does. */
async function register(deviceId: string): Promise<string> {
  const { url, apiKey } = server.target()
  const response = await fetch(`${url}/v1/environments/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(apiKey === null ? {} : { authorization: `Bearer ${apiKey}` }) },
    body: JSON.stringify({ deviceId, connectionName: 'Laptop', metadata: { os: 'linux' } }),
  })
  return ((await response.json()) as { connectionId: string }).connectionId
}

operation(server, 'environments.list', 'lists what registered, and nothing as online', async (client) => {
  const deviceId = crypto.randomUUID()
  await register(deviceId)
  const { connections } = await client.environments.list({ limit: '100' })
  expect(connections).toEqual(expect.arrayContaining([expect.objectContaining({ deviceId, connectionName: 'Laptop' })]))
  expect(await client.environments.list({ onlineOnly: 'true' })).toEqual({ connections: [], hasNextPage: false })
})

operation(server, 'environments.retrieve', 'gives one by its device', async (client) => {
  const deviceId = crypto.randomUUID()
  const connectionId = await register(deviceId)
  const environment = await client.environments.retrieve(deviceId)
  expect(environment).toMatchObject({ deviceId, connectionId, connectedAt: null, metadata: { os: 'linux' } })
  await expect(client.environments.retrieve('none')).rejects.toMatchObject({ status: 404 })
})

operation(server, 'environments.sendMessage', 'says that the environment is not connected', async (client) => {
  const connectionId = await register(crypto.randomUUID())
  const messages = [{ role: 'user' as const, content: 'Hello', client_message_id: 'c-1' }]
  await expect(client.environments.sendMessage(connectionId, { messages })).rejects.toMatchObject({
    status: 409,
    error: { errorCode: 'ENVIRONMENT_OFFLINE' },
  })
  await expect(client.environments.sendMessage('none', { messages })).rejects.toMatchObject({ status: 404 })
})
