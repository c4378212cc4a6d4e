import type { Letta } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

async function talkingAgent(client: Letta): Promise<string> {
  const agent = await client.agents.create({ model: MODEL })
  for (const input of ['My boat is called Zanzibar.', 'I like trains.', 'I live in Kiel.', 'I like tea.', 'Hello!']) {
    await client.agents.messages.create(agent.id, { input })
  }
  return agent.id
}

operation(server, 'agents.messages.compact', 'summarises what is older, and the agent goes on', async (client) => {
  const agentId = await talkingAgent(client)
  const done = await client.agents.messages.compact(agentId, { compaction_settings: { mode: 'all' } })
  expect(done.num_messages_after).toBeLessThan(done.num_messages_before)
  expect(done.summary).toContain('Zanzibar')
  const answer = await client.agents.messages.create(agentId, { input: 'Hello again!' })
  expect(answer.stop_reason.stop_reason).toBe('end_turn')
  const messages = (await client.agents.messages.list(agentId, { limit: 100 })).getPaginatedItems()
  expect(messages.map((message) => message.message_type)).toContain('summary_message')
  expect(JSON.stringify(messages)).toContain('My boat is called Zanzibar.')
})

operation(server, 'agents.messages.compact', 'refuses an empty conversation', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  await expect(client.agents.messages.compact(agent.id)).rejects.toMatchObject({ status: 400 })
})

operation(server, 'conversations.messages.compact', 'compacts the default conversation of an agent', async (client) => {
  const agentId = await talkingAgent(client)
  const done = await client.conversations.messages.compact('default', { agent_id: agentId })
  expect(done.num_messages_after).toBeLessThan(done.num_messages_before)
  const agent = await client.agents.retrieve(agentId)
  expect(agent.message_ids).toHaveLength(done.num_messages_after)
  expect(agent.compaction_settings).toMatchObject({ mode: 'sliding_window', model: MODEL })
})
