import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'agent-01234567-89ab-4def-8123-456789abcdef'
const RELATIONS = ['agent.blocks', 'agent.tools', 'agent.tags', 'agent.secrets'] as const

operation(server, 'agents.create', 'makes an agent with all that belongs to it', async (client) => {
  const agent = await client.agents.create({
    name: 'Ada',
    model: MODEL,
    description: 'Knows numbers',
    memory_blocks: [
      { label: 'human', value: 'Name: {{name}}' },
      { label: 'persona', value: 'I am Ada.', read_only: true },
    ],
    memory_variables: { name: 'Grace' },
    tags: ['numbers'],
    secrets: { API_KEY: 'hush' },
    metadata: { a: 1 },
    timezone: 'Europe/Berlin',
  })
  expect(agent).toMatchObject({
    name: 'Ada',
    model: MODEL,
    tags: ['numbers'],
    metadata: { a: 1 },
    timezone: 'Europe/Berlin',
  })
  expect(agent.blocks.map(({ label, value }) => [label, value])).toEqual([
    ['human', 'Name: Grace'],
    ['persona', 'I am Ada.'],
  ])
  expect(agent.tools.map(({ name }) => name)).toEqual(['conversation_search', 'memory_insert', 'memory_replace'])
  expect(agent.secrets).toMatchObject([{ key: 'API_KEY', value: '********' }])
  expect(JSON.stringify(agent)).not.toContain('hush')
})

operation(server, 'agents.create', 'says what is wrong', async (client) => {
  const create = (body: object) => client.agents.create({ model: MODEL, ...body })
  await expect(create({ model: 'perdure/none' })).rejects.toMatchObject({ status: 404 })
  await expect(create({ model: 'none' })).rejects.toMatchObject({ status: 400 })
  await expect(create({ tools: ['no_such_tool'] })).rejects.toThrow(/no_such_tool/)
  await expect(create({ name: 'a/b' })).rejects.toMatchObject({ status: 422 })
  const twice = [
    { label: 'a', value: '' },
    { label: 'a', value: '' },
  ]
  await expect(create({ memory_blocks: twice })).rejects.toMatchObject({ status: 409 })
})

operation(server, 'agents.retrieve', 'gives relations where they are asked for', async (client) => {
  const { id } = await client.agents.create({
    model: MODEL,
    tags: ['t'],
    memory_blocks: [{ label: 'human', value: '' }],
    secrets: { KEY: 'x' },
  })
  const plain = await client.agents.retrieve(id)
  expect([plain.blocks, plain.tools, plain.tags, plain.secrets]).toEqual([[], [], [], []])
  const full = await client.agents.retrieve(id, { include: [...RELATIONS] })
  expect([full.blocks.length, full.tools.length, full.tags, full.secrets?.length]).toEqual([1, 3, ['t'], 1])
  await expect(client.agents.retrieve(UNKNOWN)).rejects.toMatchObject({ status: 404 })
  await expect(client.agents.retrieve('agent-1')).rejects.toMatchObject({ status: 422 })
})

operation(server, 'agents.update', 'changes what is sent and clears what is null', async (client) => {
  const { id } = await client.agents.create({
    model: MODEL,
    description: 'old',
    secrets: { A: '1', B: '2' },
    tags: ['old'],
  })
  const changed = await client.agents.update(id, {
    name: 'New name',
    description: null,
    tags: ['new'],
    secrets: { A: '********' },
  })
  expect(changed).toMatchObject({ name: 'New name', description: null, tags: ['new'] })
  expect(changed.secrets?.map(({ key }) => key)).toEqual(['A'])
  expect((await client.agents.update(id, { hidden: true })).hidden).toBe(true)
  await expect(client.agents.update(UNKNOWN, { name: 'x' })).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.list', 'filters, sorts and pages by itself', async (client) => {
  for (let i = 0; i < 3; i++)
    await client.agents.create({ model: MODEL, name: `Listed ${i}`, tags: ['listed', `n${i}`] })
  const names = async (query: object) => {
    const found: string[] = []
    for await (const agent of client.agents.list({ tags: ['listed'], ...query })) found.push(agent.name)
    return found
  }
  expect(await names({ limit: 2 })).toEqual(['Listed 2', 'Listed 1', 'Listed 0'])
  expect(await names({ limit: 1, order: 'asc' })).toEqual(['Listed 0', 'Listed 1', 'Listed 2'])
  expect(await names({ tags: ['listed', 'n1'], match_all_tags: true })).toEqual(['Listed 1'])
  expect(await names({ name: 'Listed 2' })).toEqual(['Listed 2'])
  expect(await names({ query_text: 'LISTED 0' })).toEqual(['Listed 0'])
  const page = await client.agents.list({ tags: ['n0'], include: ['agent.tags'] })
  expect(page.items[0]?.tags).toEqual(['listed', 'n0'])
})

operation(server, 'agents.delete', 'is for good', async (client) => {
  const { id } = await client.agents.create({ model: MODEL })
  expect(await client.agents.delete(id)).toEqual({ message: expect.stringContaining(id) })
  await expect(client.agents.retrieve(id)).rejects.toMatchObject({ status: 404 })
  await expect(client.agents.delete(id)).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.exportFile', 'gives the file as a text', async (client) => {
  const { id } = await client.agents.create({ model: MODEL, name: 'Exported', secrets: { KEY: 'hush' } })
  await client.agents.messages.create(id, { messages: [{ role: 'user', content: 'Hello' }] })
  const text = await client.agents.exportFile(id)
  expect(typeof text).toBe('string')
  expect(text).not.toContain('hush')
  const [agent] = JSON.parse(text).agents
  expect(agent).toMatchObject({ name: 'Exported', secrets: { KEY: '' } })
  expect(agent.messages.map(({ role }: { role: string }) => role).slice(0, 2)).toEqual(['system', 'user'])
  const scrubbed = JSON.parse(await client.agents.exportFile(id, { scrub_messages: true }))
  expect(scrubbed.agents[0].messages).toEqual([])
  await expect(client.agents.exportFile(id, { use_legacy_format: true })).rejects.toMatchObject({ status: 400 })
  await expect(client.agents.exportFile(UNKNOWN)).rejects.toMatchObject({ status: 404 })
})

operation(server, 'agents.importFile', 'makes a copy that goes on where the first one was', async (client) => {
  const original = await client.agents.create({
    model: MODEL,
    name: 'Original',
    memory_blocks: [{ label: 'human', value: 'Name: Grace' }],
    tags: ['kept'],
    secrets: { KEY: 'hush' },
  })
  await client.agents.messages.create(original.id, { messages: [{ role: 'user', content: 'Remember the tea' }] })
  const folder = await client.folders.create({ name: 'Tea' })
  await client.folders.files.upload(folder.id, { file: new File(['Green, at 80 degrees.'], 'kinds.txt') })
  await client.agents.folders.attach(folder.id, { agent_id: original.id })
  const text = await client.agents.exportFile(original.id)
  const file = () => new File([text], 'agent.af', { type: 'application/json' })
  const { agent_ids: ids } = await client.agents.importFile({ file: file(), secrets: '{"KEY":"new"}' })
  expect(ids).toHaveLength(1)
  const copy = await client.agents.retrieve(ids[0] as string, { include: [...RELATIONS] })
  expect(copy).toMatchObject({ name: 'Original_copy', tags: ['kept'], secrets: [{ key: 'KEY', value: '********' }] })
  expect(copy.blocks[0]).toMatchObject({ label: 'human', value: expect.stringContaining('Name: Grace') })
  expect(copy.blocks[0]?.id).not.toBe(original.blocks[0]?.id)
  const { files } = await client.agents.files.list(copy.id)
  expect(files.map((file) => [file.file_name, file.visible_content])).toEqual([
    ['Tea_(1)/kinds.txt', expect.stringContaining('1: Green, at 80 degrees.')],
  ])
  const said = await client.agents.messages.list(copy.id, { limit: 50 })
  expect(said.items.some((message) => 'content' in message && message.content === 'Remember the tea')).toBe(true)
  const answer = await client.agents.messages.create(copy.id, { messages: [{ role: 'user', content: 'And now?' }] })
  expect(answer.stop_reason.stop_reason).toBe('end_turn')
  const named = await client.agents.importFile({
    file: file(),
    name: 'Another',
    strip_messages: true,
    append_copy_suffix: false,
  })
  const another = await client.agents.retrieve(named.agent_ids[0] as string)
  expect([another.name, another.message_ids?.length]).toEqual(['Another', 1])
  const broken = new File(['{"agents":[{"id":"agent-0","block_ids":["block-0"]}]}'], 'x.af')
  await expect(client.agents.importFile({ file: broken })).rejects.toThrow(
    /block_ids\[0\]: 'block-0' is not among the blocks/,
  )
})
