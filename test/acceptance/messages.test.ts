import type { Letta } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

async function newAgentThatWasTold(client: Letta, text: string) {
  const agent = await client.agents.create({ model: MODEL })
  await client.agents.messages.create(agent.id, { input: text })
  return agent
}

operation(server, 'messages.list', 'over all agents, each with where it was said', async (client) => {
  const first = await newAgentThatWasTold(client, 'Hello from the first')
  const second = await newAgentThatWasTold(client, 'Hello from the second')
  const items = await client.messages.list({ include_return_message_types: ['user_message'], limit: 2 })
  expect(items).toMatchObject([
    { content: 'Hello from the first', agent_id: first.id, conversation_id: null },
    { content: 'Hello from the second', agent_id: second.id, conversation_id: null },
  ])
  const [earlier, later] = items
  const after = await client.messages.list({ after: earlier?.id ?? '', include_return_message_types: ['user_message'] })
  expect(after.map((message) => message.id)).toEqual([later?.id])
  const conversation = await client.conversations.create({ agent_id: first.id })
  expect(await client.messages.list({ conversation_id: conversation.id })).toHaveLength(1)
})

operation(server, 'messages.retrieve', 'as the list of what it is shown as', async (client) => {
  const agent = await newAgentThatWasTold(client, 'Hello')
  const [last] = (await client.agents.messages.list(agent.id, { limit: 1 })).items
  const shown = await client.messages.retrieve(last?.id ?? '')
  expect(shown.map((message) => message.id)).toContain(last?.id)
  await expect(client.messages.retrieve('message-01234567-89ab-4def-8123-456789abcdef')).rejects.toMatchObject({
    status: 404,
  })
  await expect(client.messages.retrieve('5')).rejects.toMatchObject({ status: 422 })
})

operation(server, 'messages.search', 'by words, best first, within what is asked for', async (client) => {
  const agent = await newAgentThatWasTold(client, 'The albatross circles the mast')
  const other = await newAgentThatWasTold(client, 'An albatross again')
  const [found, ...more] = await client.messages.search({
    query: 'albatrosses',
    agent_id: agent.id,
    search_mode: 'fts',
  })
  expect(found).toMatchObject({
    message_type: 'user_message',
    content: 'The albatross circles the mast',
    agent_id: agent.id,
  })
  expect(more.every((message) => message.agent_id === agent.id)).toBe(true)
  const everywhere = await client.messages.search({ query: 'albatross' })
  expect(new Set(everywhere.map((message) => message.agent_id))).toEqual(new Set([agent.id, other.id]))
  expect(await client.messages.search({ query: 'albatross', end_date: '2001-01-01T00:00:00Z' })).toEqual([])
  await expect(client.messages.search({ query: 'x', limit: 1000 })).rejects.toMatchObject({ status: 422 })
})
