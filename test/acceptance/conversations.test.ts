import type { Letta } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

const UNKNOWN = 'conv-01234567-89ab-4def-8123-456789abcdef'

async function newConversation(client: Letta, params: object = {}) {
  const agent = await client.agents.create({ model: MODEL, memory_blocks: [{ label: 'human', value: 'Ann' }] })
  return { agent, conversation: await client.conversations.create({ agent_id: agent.id, ...params }) }
}

async function say(client: Letta, conversationId: string, text: string, more: object = {}) {
  const stream = await client.conversations.messages.create(conversationId, {
    messages: [{ role: 'user', content: text }],
    ...more,
  })
  const events = await Array.fromAsync(stream)
  expect(events.map((event) => event.message_type).slice(-2)).toEqual(['stop_reason', 'usage_statistics'])
  return events
}

const messagesOf = async (client: Letta, id: string, query: object = { order: 'asc' }) =>
  (await client.conversations.messages.list(id, query)).items

const userTexts = (messages: { message_type?: string; content?: unknown }[]) =>
  messages.filter((message) => message.message_type === 'user_message').map((message) => message.content)

operation(server, 'conversations.create', 'begins a thread with its own system message', async (client) => {
  const { agent, conversation } = await newConversation(client, { summary: 'Boats', isolated_block_labels: ['human'] })
  expect(conversation).toMatchObject({ agent_id: agent.id, summary: 'Boats', model: null, last_message_at: null })
  expect(conversation.in_context_message_ids).toHaveLength(1)
  await expect(client.conversations.create({ agent_id: agent.id.replace(/....$/, '0000') })).rejects.toMatchObject({
    status: 404,
  })
})

operation(server, 'conversations.retrieve', 'gives it, and 404 for one that is not there', async (client) => {
  const { conversation } = await newConversation(client)
  expect(await client.conversations.retrieve(conversation.id)).toEqual(conversation)
  await expect(client.conversations.retrieve(UNKNOWN)).rejects.toMatchObject({ status: 404 })
  await expect(client.conversations.retrieve('conv-1')).rejects.toMatchObject({ status: 422 })
})

operation(server, 'conversations.list', 'by the last message, those without one last', async (client) => {
  const { agent, conversation: first } = await newConversation(client)
  const second = await client.conversations.create({ agent_id: agent.id })
  await say(client, first.id, 'Hello')
  const idsBy = async (query: object) =>
    (await client.conversations.list({ agent_id: agent.id, ...query })).map((conversation) => conversation.id)
  expect(await idsBy({})).toEqual([second.id, first.id])
  expect(await idsBy({ order_by: 'last_message_at' })).toEqual([first.id, second.id])
  expect(await idsBy({ after: second.id })).toEqual([first.id])
})

operation(server, 'conversations.update', 'changes what is given, and clears by null', async (client) => {
  const { conversation } = await newConversation(client, { summary: 'Boats' })
  const changed = await client.conversations.update(conversation.id, { model: MODEL, archived: true })
  expect(changed).toMatchObject({ summary: 'Boats', model: MODEL, archived: true })
  expect(await client.conversations.update(conversation.id, { summary: null, model: null })).toMatchObject({
    summary: null,
    model: null,
    archived: true,
  })
})

operation(server, 'conversations.delete', 'once, and then it is not there', async (client) => {
  const { conversation } = await newConversation(client)
  expect(await client.conversations.delete(conversation.id)).toBeNull()
  await expect(client.conversations.delete(conversation.id)).rejects.toMatchObject({ status: 404 })
  await expect(client.conversations.retrieve(conversation.id)).rejects.toMatchObject({ status: 404 })
})

operation(server, 'conversations.fork', 'shares what was said, and goes on by itself', async (client) => {
  const { agent, conversation } = await newConversation(client)
  await say(client, conversation.id, 'My name is Ann.')
  const fork = await client.conversations.fork(conversation.id)
  expect(fork.in_context_message_ids?.slice(1)).toEqual(
    (await client.conversations.retrieve(conversation.id)).in_context_message_ids?.slice(1),
  )
  await say(client, fork.id, 'Hello')
  expect(userTexts(await messagesOf(client, fork.id))).toEqual(['My name is Ann.', 'Hello'])
  expect(userTexts(await messagesOf(client, conversation.id))).toEqual(['My name is Ann.'])
  const ofDefault = await client.conversations.fork('default', { agent_id: agent.id })
  expect(ofDefault.agent_id).toBe(agent.id)
})

operation(server, 'conversations.cancel', 'is a conflict where nothing runs', async (client) => {
  const { conversation } = await newConversation(client)
  await expect(client.conversations.cancel(conversation.id)).rejects.toMatchObject({ status: 409 })
})

operation(server, 'conversations.cancel', 'ends a run that is at work', async (client) => {
  const { conversation } = await newConversation(client)
  const stream = await client.conversations.messages.create(conversation.id, {
    messages: [{ role: 'user', content: 'Tell me all that you can do, please.' }],
    stream_tokens: true,
  })
  let cancelled: Record<string, unknown> = {}
  const reasons: unknown[] = []
  for await (const event of stream) {
    if (Object.keys(cancelled).length === 0) cancelled = await client.conversations.cancel(conversation.id)
    if (event.message_type === 'stop_reason') reasons.push(event.stop_reason)
  }
  expect(Object.values(cancelled)).toEqual(['cancelled'])
  expect(reasons).toEqual(['cancelled'])
})

operation(server, 'conversations.recompile', 'gives the prompt, with the memory of this moment', async (client) => {
  const { agent, conversation } = await newConversation(client)
  await client.agents.blocks.update('human', { agent_id: agent.id, value: 'Bob' })
  const dry = await client.conversations.recompile(conversation.id, { dry_run: true })
  expect(dry).toContain('Bob')
  const [before] = await messagesOf(client, conversation.id)
  expect(before).not.toMatchObject({ content: dry })
  expect(await client.conversations.recompile(conversation.id)).toBe(dry)
  const [after] = await messagesOf(client, conversation.id)
  expect(after).toMatchObject({ message_type: 'system_message', content: dry })
})

operation(server, 'agents.recompile', 'gives the prompt of the default conversation', async (client) => {
  const { agent } = await newConversation(client)
  const prompt = await client.agents.recompile(agent.id, { update_timestamp: true })
  expect(prompt).toContain('CONVERSATION_ID: default')
  await expect(client.agents.recompile(agent.id.replace(/....$/, '0000'))).rejects.toMatchObject({ status: 404 })
})

operation(server, 'conversations.messages.create', 'streams by default; memory is shared', async (client) => {
  const { agent, conversation } = await newConversation(client)
  const events = await say(client, conversation.id, 'My name is Zoe.')
  expect(events.map((event) => event.message_type)).toContain('tool_return_message')
  const block = await client.agents.blocks.retrieve('human', { agent_id: agent.id })
  expect(block.value).toContain('Zoe')
  const other = await client.conversations.create({ agent_id: agent.id })
  const [system] = await messagesOf(client, other.id)
  expect(JSON.stringify(system)).toContain('Zoe')
  await say(client, 'default', 'Hello', { agent_id: agent.id })
})

operation(
  server,
  'conversations.messages.list',
  'newest first, or oldest first from the system message on',
  async (client) => {
    const { agent, conversation } = await newConversation(client)
    await say(client, conversation.id, 'Hello')
    const asc = await messagesOf(client, conversation.id)
    expect(asc.slice(0, 2).map((message) => message.message_type)).toEqual(['system_message', 'user_message'])
    expect(await messagesOf(client, conversation.id, {})).toEqual(asc.toReversed())
    const types = { include_return_message_types: ['user_message'], limit: 1 }
    expect(userTexts(await messagesOf(client, conversation.id, types))).toEqual(['Hello'])
    expect(await messagesOf(client, 'default', { agent_id: agent.id })).toHaveLength(1)
    await expect(client.conversations.messages.list(UNKNOWN)).rejects.toMatchObject({ status: 404 })
  },
)

operation(server, 'conversations.messages.stream', 'goes on with a run, named by its otid', async (client) => {
  const { conversation } = await newConversation(client)
  const otid = 'a-message-of-mine'
  const messages = [{ role: 'user' as const, content: 'Hello', otid }]
  const said = await Array.fromAsync(await client.conversations.messages.create(conversation.id, { messages }))
  const again = await Array.fromAsync(await client.conversations.messages.stream(conversation.id, { otid }))
  const withoutDates = (events: object[]) => events.map((event) => ({ ...event, date: null, id: null }))
  expect(withoutDates(again)).toEqual(withoutDates(said))
  await expect(client.conversations.messages.stream(conversation.id)).rejects.toMatchObject({ status: 400 })
})
