import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'agent-01234567-89ab-4def-8123-456789abcdef'
const hello = [{ role: 'user' as const, content: 'Hello there' }]
const newAgent = async (client: ReturnType<typeof server.client>) =>
  (await client.agents.create({ model: MODEL, memory_blocks: [{ label: 'human', value: '' }] })).id

operation(server, 'agents.messages.create', 'answers', async (client) => {
  const id = await newAgent(client)
  const answer = await client.agents.messages.create(id, { messages: hello })
  expect(answer.stop_reason.stop_reason).toBe('end_turn')
  expect(answer.messages.at(-1)?.message_type).toBe('assistant_message')
  expect(answer.usage.total_tokens).toBeGreaterThan(0)
  expect((await client.agents.messages.create(id, { input: 'and again' })).messages.length).toBeGreaterThan(0)
  await expect(client.agents.messages.create(id, { messages: [] })).rejects.toMatchObject({ status: 422 })
  await expect(client.agents.messages.create(UNKNOWN, { messages: hello })).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.messages.create', 'streams when it is asked to', async (client) => {
  const id = await newAgent(client)
  const stream = await client.agents.messages.create(id, { messages: hello, streaming: true })
  const types: string[] = []
  for await (const event of stream) types.push(String(event.message_type))
  expect(types.slice(-2)).toEqual(['stop_reason', 'usage_statistics'])
})

operation(server, 'agents.messages.stream', 'gives the answer in pieces', async (client) => {
  const id = await newAgent(client)
  const stream = await client.agents.messages.stream(id, { messages: hello, stream_tokens: true })
  let text = ''
  const types = new Set<string>()
  for await (const event of stream) {
    types.add(String(event.message_type))
    if (event.message_type === 'assistant_message' && typeof event.content === 'string') text += event.content
  }
  expect([...types]).toEqual(expect.arrayContaining(['assistant_message', 'stop_reason', 'usage_statistics']))
  const stored = await client.agents.messages.list(id, { limit: 1 })
  expect(stored.items[0]).toMatchObject({ message_type: 'assistant_message', content: text })
})

operation(server, 'agents.messages.list', 'is chronological, in both directions', async (client) => {
  const id = await newAgent(client)
  await client.agents.messages.create(id, { messages: hello })
  const cursor = (await client.agents.messages.list(id, { limit: 1 })).items[0]
  await client.agents.messages.create(id, { messages: [{ role: 'user', content: 'Second' }] })
  const newer = await client.agents.messages.list(id, { after: cursor?.id ?? '' })
  expect(newer.items[0]).toMatchObject({ message_type: 'user_message', content: 'Second' })
  const older = await client.agents.messages.list(id, { before: cursor?.id ?? '', order: 'asc' })
  expect(older.items[0]?.message_type).toBe('system_message')
  const users = await client.agents.messages.list(id, { include_return_message_types: ['user_message'] })
  expect(users.items).toHaveLength(2)
})

operation(server, 'agents.messages.createAsync', 'gives a run to ask for', async (client) => {
  const id = await newAgent(client)
  const run = await client.agents.messages.createAsync(id, { messages: hello })
  expect(run).toMatchObject({ agent_id: id, background: true })
  await expect.poll(async () => (await client.runs.retrieve(run.id)).status, { timeout: 20_000 }).toBe('completed')
})

operation(server, 'agents.messages.cancel', 'ends what runs and what waits', async (client) => {
  const id = await newAgent(client)
  const runs: { id: string }[] = []
  for (let i = 0; i < 6; i++) runs.push(await client.agents.messages.createAsync(id, { messages: hello }))
  const last = runs.at(-1)?.id ?? ''
  expect(await client.agents.messages.cancel(id, { run_ids: [last] })).toEqual({ [last]: 'cancelled' })
  expect((await client.runs.retrieve(last)).status).toBe('cancelled')
  await expect
    .poll(async () => Promise.all(runs.map(async (run) => (await client.runs.retrieve(run.id)).status)), {
      timeout: 20_000,
    })
    .not.toContain('running')
  await expect
    .poll(async () => (await client.runs.list({ agent_id: id, active: true })).items, { timeout: 20_000 })
    .toEqual([])
  await expect(client.agents.messages.cancel(id)).rejects.toMatchObject({ status: 409 })
})

operation(server, 'agents.messages.reset', 'leaves the system message', async (client) => {
  const id = await newAgent(client)
  await client.agents.messages.create(id, { messages: hello })
  await client.agents.messages.reset(id, {})
  const left = await client.agents.messages.list(id)
  expect(left.items.map((message) => message.message_type)).toEqual(['system_message'])
})

operation(server, 'agents.passages.create', 'keeps a note', async (client) => {
  const id = await newAgent(client)
  const [passage] = await client.agents.passages.create(id, { text: 'Tea at four', tags: ['tea'] })
  expect(passage).toMatchObject({ text: 'Tea at four', tags: ['tea'] })
  await expect(client.agents.passages.create(UNKNOWN, { text: 'x' })).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.passages.list', 'gives the notes, oldest first', async (client) => {
  const id = await newAgent(client)
  for (const text of ['One', 'Two', 'Three']) await client.agents.passages.create(id, { text })
  expect((await client.agents.passages.list(id)).map(({ text }) => text)).toEqual(['One', 'Two', 'Three'])
  expect((await client.agents.passages.list(id, { search: 'tw' })).map(({ text }) => text)).toEqual(['Two'])
  expect((await client.agents.passages.list(id, { limit: 1, ascending: false })).map(({ text }) => text)).toEqual([
    'Three',
  ])
})

operation(server, 'agents.passages.search', 'finds notes by words and tags', async (client) => {
  const id = await newAgent(client)
  await client.agents.passages.create(id, { text: 'Grace likes green tea', tags: ['drinks'] })
  await client.agents.passages.create(id, { text: 'The train leaves at nine', tags: ['travel'] })
  const found = await client.agents.passages.search(id, { query: 'tea' })
  expect(found).toMatchObject({ count: 1, results: [{ content: 'Grace likes green tea', tags: ['drinks'] }] })
  expect((await client.agents.passages.search(id, { query: 'tea', tags: ['travel'] })).count).toBe(0)
})

operation(server, 'agents.passages.delete', 'forgets a note', async (client) => {
  const agent_id = await newAgent(client)
  const [passage] = await client.agents.passages.create(agent_id, { text: 'Forget me' })
  await client.agents.passages.delete(passage?.id ?? '', { agent_id })
  expect(await client.agents.passages.list(agent_id)).toEqual([])
  await expect(client.agents.passages.delete(passage?.id ?? '', { agent_id })).rejects.toMatchObject({ status: 404 })
})

const tomorrow = () => ({ type: 'one-time' as const, scheduled_at: Date.now() + 86_400_000 })

operation(server, 'agents.schedule.create', 'sends the message at its time', async (client) => {
  const id = await newAgent(client)
  const created = await client.agents.schedule.create(id, {
    messages: hello,
    schedule: { type: 'one-time', scheduled_at: Date.now() + 200 },
  })
  expect(created.id).toBeTruthy()
  const users = async () =>
    (await client.agents.messages.list(id, { include_return_message_types: ['user_message'] })).items
  await expect.poll(async () => (await users()).length, { timeout: 20_000 }).toBe(1)
})

operation(server, 'agents.schedule.retrieve', 'gives one back', async (client) => {
  const agent_id = await newAgent(client)
  const { id } = await client.agents.schedule.create(agent_id, { messages: hello, schedule: tomorrow() })
  expect(await client.agents.schedule.retrieve(id, { agent_id })).toMatchObject({
    id,
    agent_id,
    schedule: { type: 'one-time' },
  })
})

operation(server, 'agents.schedule.list', 'gives all of the agent', async (client) => {
  const agent_id = await newAgent(client)
  await client.agents.schedule.create(agent_id, { messages: hello, schedule: tomorrow() })
  await client.agents.schedule.create(agent_id, {
    messages: hello,
    schedule: { type: 'recurring', cron_expression: '0 9 * * *' },
  })
  const { scheduled_messages: all, has_next_page } = await client.agents.schedule.list(agent_id)
  expect([all.length, has_next_page]).toEqual([2, false])
})

operation(server, 'agents.schedule.delete', 'takes it back', async (client) => {
  const agent_id = await newAgent(client)
  const { id } = await client.agents.schedule.create(agent_id, { messages: hello, schedule: tomorrow() })
  expect(await client.agents.schedule.delete(id, { agent_id })).toEqual({ success: true })
  await expect(client.agents.schedule.retrieve(id, { agent_id })).rejects.toMatchObject({ status: 404 })
})
