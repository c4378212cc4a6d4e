import { BadRequestError, ConflictError, NotFoundError, UnprocessableEntityError } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'tool-01234567-89ab-4def-8123-456789abcdef'

/** A Python tool of this name. */
const source = (name: string, parameter = 'sides: int') => `
from typing import Optional

def ${name}(${parameter}, label: Optional[str] = None) -> str:
    """
    Roll a die.

    Args:
        ${parameter.split(':')[0]}: what is rolled,
            over two lines
        label: what it is for
    """
    return "4"
`

operation(server, 'tools.create', 'reads the schema from the source', async (client) => {
  const tool = await client.tools.create({ source_code: source('acc_roll'), tags: ['game'], return_char_limit: 100 })
  expect(tool).toMatchObject({
    name: 'acc_roll',
    description: 'Roll a die.',
    tool_type: 'custom',
    source_type: 'python',
    tags: ['game'],
    return_char_limit: 100,
    json_schema: {
      name: 'acc_roll',
      description: 'Roll a die.',
      parameters: {
        type: 'object',
        properties: {
          sides: { type: 'integer', description: 'what is rolled, over two lines' },
          label: { type: 'string', description: 'what it is for' },
        },
        required: ['sides'],
      },
    },
  })
})

operation(server, 'tools.create', 'refuses what has no schema, and the names of built-in tools', async (client) => {
  const refused = client.tools.create({ source_code: 'def f(x):\n    """D."""' })
  await expect(refused).rejects.toThrow(BadRequestError)
  await expect(refused).rejects.toThrow(/Failed to derive json schema: parameter 'x' of 'f' has no type/)
  await expect(client.tools.create({ source_code: source('memory_insert') })).rejects.toThrow(ConflictError)
})

operation(server, 'tools.upsert', 'overwrites the tool of the name, which keeps its id', async (client) => {
  const first = await client.tools.upsert({ source_code: source('acc_upsert'), tags: ['a'] })
  const second = await client.tools.upsert({ source_code: source('acc_upsert', 'count: str') })
  expect(second).toMatchObject({ id: first.id, tags: ['a'] })
  expect(second.json_schema).toMatchObject({ parameters: { required: ['count'] } })
})

operation(server, 'tools.retrieve', 'gives a tool, and 404 for none', async (client) => {
  const tool = await client.tools.create({ source_code: source('acc_retrieve') })
  expect(await client.tools.retrieve(tool.id)).toEqual(tool)
  await expect(client.tools.retrieve(UNKNOWN)).rejects.toThrow(NotFoundError)
  await expect(client.tools.retrieve('tool-x')).rejects.toThrow(UnprocessableEntityError)
})

operation(server, 'tools.update', 'derives anew from a new source, and clears with null', async (client) => {
  const tool = await client.tools.create({ source_code: source('acc_update'), tags: ['a'] })
  const changed = await client.tools.update(tool.id, { source_code: source('acc_updated'), return_char_limit: 5 })
  expect(changed).toMatchObject({ id: tool.id, name: 'acc_updated', tags: ['a'], return_char_limit: 5 })
  const cleared = await client.tools.update(tool.id, { tags: null, return_char_limit: null, metadata_: { a: 1 } })
  expect(cleared).toMatchObject({ tags: [], return_char_limit: 50_000, metadata_: { a: 1 } })
  await expect(client.tools.update(UNKNOWN, {})).rejects.toThrow(NotFoundError)
})

operation(server, 'tools.list', 'filters, and has the built-in tools in one page', async (client) => {
  await client.tools.create({ source_code: source('acc_list'), tags: ['a'] })
  expect((await client.tools.list({ name: 'acc_list' })).items).toHaveLength(1)
  const builtin = await client.tools.list({ return_only_letta_tools: true })
  expect(builtin.items.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['send_message', 'conversation_search', 'memory_insert', 'archival_memory_search']),
  )
  const custom = await client.tools.list({ tool_types: ['custom'], names: ['acc_list', 'memory'] })
  expect(custom.items.map(({ name }) => name)).toEqual(['acc_list'])
})

operation(server, 'tools.delete', 'takes a tool away; a built-in one comes back', async (client) => {
  const tool = await client.tools.create({ source_code: source('acc_delete') })
  expect(await client.tools.delete(tool.id)).toBeNull()
  await expect(client.tools.retrieve(tool.id)).rejects.toThrow(NotFoundError)
  const find = async () => (await client.tools.list({ name: 'memory_rethink' })).items[0]?.id ?? ''
  await client.tools.delete(await find())
  expect(await find()).toMatch(/^tool-/)
})

operation(server, 'tools.search', 'finds tools by words', async (client) => {
  await client.tools.create({ source_code: source('acc_search').replace('Roll a die', 'Translates texts to Frisian') })
  const [best, ...others] = await client.tools.search({ query: 'translating frisian', tool_types: ['custom'] })
  expect(best).toMatchObject({ tool: { name: 'acc_search' }, fts_rank: 1, vector_rank: null })
  expect(others).toEqual([])
})

operation(server, 'agents.tools.attach', 'gives an agent a tool, once', async (client) => {
  const tool = await client.tools.create({ source_code: source('acc_attach') })
  const agent = await client.agents.create({ model: MODEL, include_base_tools: false })
  expect(await client.agents.tools.attach(tool.id, { agent_id: agent.id })).toBeNull()
  await client.agents.tools.attach(tool.id, { agent_id: agent.id })
  expect((await client.agents.tools.list(agent.id)).items.map(({ id }) => id)).toEqual([tool.id])
  await expect(client.agents.tools.attach(UNKNOWN, { agent_id: agent.id })).rejects.toThrow(NotFoundError)
})

operation(server, 'agents.tools.detach', 'takes it again', async (client) => {
  const tool = await client.tools.create({ source_code: source('acc_detach') })
  const agent = await client.agents.create({ model: MODEL, include_base_tools: false, tools: ['acc_detach'] })
  expect(await client.agents.tools.detach(tool.id, { agent_id: agent.id })).toBeNull()
  expect((await client.agents.tools.list(agent.id)).items).toEqual([])
})

operation(server, 'agents.tools.list', 'lists page by page', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const names: (string | null | undefined)[] = []
  for await (const tool of client.agents.tools.list(agent.id, { limit: 2 })) names.push(tool.name)
  expect(names.toSorted()).toEqual(['conversation_search', 'memory_insert', 'memory_replace'])
})

operation(server, 'agents.tools.run', 'edits memory and runs code for real', async (client) => {
  const agent = await client.agents.create({ model: MODEL, memory_blocks: [{ label: 'human', value: 'Name: Ann' }] })
  const args = { label: 'human', old_string: 'Ann', new_string: 'Bea' }
  expect(await client.agents.tools.run('memory_replace', { agent_id: agent.id, args })).toMatchObject({
    status: 'success',
    func_return: 'Name: Bea',
  })
  expect((await client.agents.blocks.retrieve('human', { agent_id: agent.id })).value).toBe('Name: Bea')
  expect(await client.agents.tools.run('memory_replace', { agent_id: agent.id, args })).toMatchObject({
    status: 'error',
  })
  await expect(client.agents.tools.run('acc_none', { agent_id: agent.id })).rejects.toThrow(NotFoundError)
  const own = await client.tools.create({
    source_code:
      'def acc_add(a: int, b: int) -> int:\n    """Adds.\n\n    Args:\n        a: one\n        b: another\n    """\n    print("adding")\n    return a + b',
  })
  await client.agents.tools.attach(own.id, { agent_id: agent.id })
  const added = await client.agents.tools.run('acc_add', { agent_id: agent.id, args: { a: 2, b: 3 } })
  expect(added).toMatchObject({ status: 'success', func_return: '5', stdout: ['adding'] })
})

operation(server, 'agents.tools.updateApproval', 'sets and lifts the rule', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const approve = (isRequired: boolean) =>
    client.agents.tools.updateApproval('memory_insert', { agent_id: agent.id, body_requires_approval: isRequired })
  const rules = async () => (await client.agents.retrieve(agent.id)).tool_rules
  await approve(true)
  expect(await rules()).toMatchObject([{ type: 'requires_approval', tool_name: 'memory_insert' }])
  await approve(false)
  expect(await rules()).toEqual([])
})
