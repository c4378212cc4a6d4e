import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'block-01234567-89ab-4def-8123-456789abcdef'

operation(server, 'blocks.create', 'makes a block', async (client) => {
  const block = await client.blocks.create({
    label: 'facts',
    value: 'v',
    description: 'd',
    tags: ['t'],
    metadata: { a: 1 },
    limit: 50,
  })
  expect(block).toMatchObject({
    label: 'facts',
    value: 'v',
    description: 'd',
    tags: ['t'],
    metadata: { a: 1 },
    limit: 50,
  })
  await expect(client.blocks.create({ label: 'facts', value: 'long', limit: 2 })).rejects.toMatchObject({ status: 422 })
})

operation(server, 'blocks.retrieve', 'gives it back', async (client) => {
  const block = await client.blocks.create({ label: 'facts', value: 'v' })
  expect(await client.blocks.retrieve(block.id)).toEqual(block)
  await expect(client.blocks.retrieve(UNKNOWN)).rejects.toMatchObject({ status: 404 })
  await expect(client.blocks.retrieve('block-1')).rejects.toMatchObject({ status: 422 })
})

operation(server, 'blocks.update', 'changes it for every agent that has it', async (client) => {
  const block = await client.blocks.create({ label: 'shared', value: 'before' })
  const agent = await client.agents.create({ model: MODEL, block_ids: [block.id] })
  expect(await client.blocks.update(block.id, { value: 'after' })).toEqual({ ...block, value: 'after' })
  expect((await client.agents.blocks.retrieve('shared', { agent_id: agent.id })).value).toBe('after')
  await expect(client.blocks.update(UNKNOWN, { value: 'x' })).rejects.toMatchObject({ status: 404 })
})

operation(server, 'blocks.list', 'filters and pages by itself', async (client) => {
  for (const [index, value] of ['Alpha', 'Beta', 'Gamma'].entries()) {
    await client.blocks.create({
      label: `listed_${index}`,
      value,
      tags: ['list', `n${index}`],
      project_id: 'list-test',
    })
  }
  const values = async (query: object) => {
    const found: string[] = []
    for await (const block of client.blocks.list({ project_id: 'list-test', ...query })) found.push(block.value)
    return found
  }
  expect(await values({ limit: 2 })).toEqual(['Alpha', 'Beta', 'Gamma'])
  expect(await values({ order: 'desc' })).toEqual(['Gamma', 'Beta', 'Alpha'])
  expect(await values({ label: 'listed_1' })).toEqual(['Beta'])
  expect(await values({ value_search: 'ALPHA' })).toEqual(['Alpha'])
  expect(await values({ label_search: 'listed' })).toHaveLength(3)
  expect(await values({ tags: ['list', 'n2'], match_all_tags: true })).toEqual(['Gamma'])
  expect(await values({ connected_to_agents_count_gt: 0 })).toEqual([])
  expect(await values({ templates_only: true })).toEqual([])
})

operation(server, 'blocks.delete', 'takes it from its agents too', async (client) => {
  const block = await client.blocks.create({ label: 'gone', value: '' })
  const agent = await client.agents.create({ model: MODEL, block_ids: [block.id] })
  await client.blocks.delete(block.id)
  await expect(client.blocks.retrieve(block.id)).rejects.toMatchObject({ status: 404 })
  expect((await client.agents.blocks.list(agent.id)).items).toEqual([])
})

operation(server, 'blocks.agents.list', 'gives the agents that have it', async (client) => {
  const block = await client.blocks.create({ label: 'common', value: '' })
  const ids: string[] = []
  for (let i = 0; i < 2; i++) ids.push((await client.agents.create({ model: MODEL, block_ids: [block.id] })).id)
  const found: string[] = []
  for await (const agent of client.blocks.agents.list(block.id, { limit: 1 })) found.push(agent.id)
  expect(found).toEqual(ids.toReversed())
  await expect(client.blocks.agents.list(UNKNOWN)).rejects.toMatchObject({ status: 404 })
})

const newAgent = async (client: ReturnType<typeof server.client>) =>
  (
    await client.agents.create({
      model: MODEL,
      memory_blocks: [
        { label: 'human', value: 'Grace' },
        { label: 'persona', value: 'Ada' },
      ],
    })
  ).id

operation(server, 'agents.blocks.list', "gives the agent's blocks", async (client) => {
  const id = await newAgent(client)
  const labels: (string | null | undefined)[] = []
  for await (const block of client.agents.blocks.list(id, { order: 'asc', limit: 1 })) labels.push(block.label)
  expect(labels).toEqual(['human', 'persona'])
})

operation(server, 'agents.blocks.retrieve', 'finds one by its label', async (client) => {
  const agent_id = await newAgent(client)
  expect((await client.agents.blocks.retrieve('human', { agent_id })).value).toBe('Grace')
  await expect(client.agents.blocks.retrieve('other', { agent_id })).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.blocks.update', 'is in the prompt of the next turn', async (client) => {
  const agent_id = await newAgent(client)
  const changed = await client.agents.blocks.update('human', { agent_id, value: 'Hedy', description: 'who' })
  expect(changed).toMatchObject({ label: 'human', value: 'Hedy', description: 'who' })
  await client.agents.messages.create(agent_id, { messages: [{ role: 'user', content: 'Hi' }] })
  const [prompt] = (await client.agents.messages.list(agent_id, { order: 'asc', limit: 1 })).items
  expect(prompt).toMatchObject({ message_type: 'system_message', content: expect.stringContaining('Hedy') })
})

operation(server, 'agents.blocks.attach', 'shares a block', async (client) => {
  const agent_id = await newAgent(client)
  const block = await client.blocks.create({ label: 'more', value: 'm' })
  await client.agents.blocks.attach(block.id, { agent_id })
  expect((await client.agents.blocks.retrieve('more', { agent_id })).id).toBe(block.id)
  const human = await client.blocks.create({ label: 'human', value: '' })
  await expect(client.agents.blocks.attach(human.id, { agent_id })).rejects.toMatchObject({ status: 409 })
  await expect(client.agents.blocks.attach(UNKNOWN, { agent_id })).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.blocks.detach', 'leaves the block', async (client) => {
  const agent_id = await newAgent(client)
  const block = await client.agents.blocks.retrieve('human', { agent_id })
  await client.agents.blocks.detach(block.id, { agent_id })
  await expect(client.agents.blocks.retrieve('human', { agent_id })).rejects.toMatchObject({ status: 404 })
  expect((await client.blocks.retrieve(block.id)).value).toBe('Grace')
})
