import { Letta } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
const hostname = 'https://app.example'

operation(server, 'accessTokens.create', 'makes a token that does what it says and nothing else', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const other = await client.agents.create({ model: MODEL })
  const made = await client.accessTokens.create({
    hostname,
    policy: [{ type: 'agent', id: agent.id, access: ['read_agent', 'write_messages'] }],
  })
  expect(made.policy).toEqual({
    version: '1',
    data: [{ type: 'agent', id: agent.id, access: ['read_agent', 'write_messages'] }],
  })
  const page = new Letta({ baseURL: server.target().url, apiKey: made.token, maxRetries: 0 })
  expect((await page.agents.retrieve(agent.id)).id).toBe(agent.id)
  expect((await page.agents.messages.create(agent.id, { input: 'Hello' })).stop_reason.stop_reason).toBe('end_turn')
  await expect(page.agents.retrieve(other.id)).rejects.toMatchObject({ status: 403 })
  await expect(page.agents.update(agent.id, { name: 'x' })).rejects.toMatchObject({ status: 403 })
  await expect(page.agents.messages.list(agent.id)).rejects.toMatchObject({ status: 403 })
  await expect(page.agents.list()).rejects.toMatchObject({ status: 403 })
})

operation(server, 'accessTokens.list', 'lists tokens without what opens anything', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const made = await client.accessTokens.create({
    hostname,
    policy: [{ type: 'agent', id: agent.id, access: ['read_agent'] }],
  })
  const { tokens, hasNextPage } = await client.accessTokens.list({ agentId: agent.id })
  expect(hasNextPage).toBe(false)
  expect(tokens).toEqual([{ ...made, token: expect.stringMatching(/^token-/) }])
})

operation(server, 'accessTokens.delete', 'ends a token at once', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const { token } = await client.accessTokens.create({
    hostname,
    policy: [{ type: 'agent', id: agent.id, access: ['read_agent'] }],
  })
  await client.accessTokens.delete(token)
  const page = new Letta({ baseURL: server.target().url, apiKey: token, maxRetries: 0 })
  await expect(page.agents.retrieve(agent.id)).rejects.toMatchObject({ status: 401 })
  await expect(client.accessTokens.delete(token)).rejects.toMatchObject({ status: 404 })
})
