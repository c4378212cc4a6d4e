import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { BUILTIN_TOOLS } from '#tools/registry.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Tool {
  id: string
  name: string
  tool_type: string
  [field: string]: unknown
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  await server.context.db.query(insertCustom, [
    DEFAULT_ORGANIZATION_ID,
    'tool-00000000-0000-4000-8000-000000000001',
    'my_tool',
  ])
})
afterAll(() => server.close())

const insertCustom = statement(
  'test-insert-custom-tool',
  `insert into tools (organization_id, id, name, tool_type, source_type, source_code, json_schema, tags, metadata)
   values ($1, $2, $3, 'custom', 'python', 'def my_tool(): ...', '{"name": "my_tool"}', '{mine}', '{"a": 1}')`,
)
const names = async (query: string) =>
  (await server.request<Tool[]>('GET', `/v1/tools/?limit=100&${query}`)).body.map((tool) => tool.name).toSorted()
const BUILTIN_NAMES = BUILTIN_TOOLS.map((tool) => tool.name).toSorted()
const ofType = (type: string) => BUILTIN_TOOLS.filter((tool) => tool.toolType === type).map((tool) => tool.name)
const ALL_NAMES = [...BUILTIN_NAMES, 'my_tool'].toSorted()

describe('built-in tools', () => {
  test('are there, with their schema', async () => {
    expect(await names('')).toEqual(ALL_NAMES)
    const [tool] = (await server.request<Tool[]>('GET', '/v1/tools/?name=memory_replace')).body
    expect(tool).toMatchObject({
      tool_type: 'letta_sleeptime_core',
      tags: ['letta_sleeptime_core'],
      json_schema: { name: 'memory_replace', parameters: { type: 'object' } },
      return_char_limit: 50_000,
      source_code: null,
      metadata_: null,
    })
    expect((await server.request<Tool>('GET', `/v1/tools/${tool?.id}`)).body).toEqual(tool)
  })

  test('come back when one is missing, keep their ids, and are not written when nothing changed', async () => {
    const { db } = server.context
    const before = (await server.request<Tool[]>('GET', '/v1/tools/?limit=100')).body
    expect(await ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)).toEqual([])
    await db.query(statement('test-delete-tool', 'delete from tools where organization_id = $1 and name = $2'), [
      DEFAULT_ORGANIZATION_ID,
      'memory_insert',
    ])
    await db.query(
      statement('test-age-tool', `update tools set description = 'old' where organization_id = $1 and name = $2`),
      [DEFAULT_ORGANIZATION_ID, 'memory'],
    )
    expect(await names('')).toEqual(ALL_NAMES)
    const after = (await server.request<Tool[]>('GET', '/v1/tools/?limit=100')).body
    const old = before.filter((tool) => tool.name !== 'memory_insert')
    expect(after.filter((tool) => tool.name !== 'memory_insert')).toEqual(expect.arrayContaining(old))
  })

  test("of the same name as a person's own tool leave that alone", async () => {
    const { db } = server.context
    await db.query(
      statement('test-own-tool', `update tools set tool_type = 'custom', description = 'own' where name = 'memory'`),
    )
    expect(await ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)).toEqual([])
    const read = statement('test-read-own', `select description from tools where name = 'memory'`)
    expect(await db.query(read)).toEqual([{ description: 'own' }])
    await db.query(statement('test-disown-tool', `update tools set tool_type = 'letta_core' where name = 'memory'`))
    expect(await ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)).toEqual(['memory'])
  })

  test('are stored once when several servers start together', async () => {
    const { db } = server.context
    await db.query(statement('test-delete-tools', `delete from tools where tool_type <> 'custom'`))
    await Promise.all(Array.from({ length: 5 }, () => ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)))
    expect(await names('')).toEqual(ALL_NAMES)
  })
})

describe('filters', () => {
  test.each<[string, string[]]>([
    ['name=my_tool', ['my_tool']],
    ['name=nothing', []],
    ['names=memory&names=my_tool', ['memory', 'my_tool']],
    ['names=memory,my_tool', ['memory', 'my_tool']],
    ['names=memory,my_tool&name=memory', ['memory']],
    ['tool_ids=tool-00000000-0000-4000-8000-000000000001,tool-x', ['my_tool']],
    ['search=ARCHIVAL', ['archival_memory_insert', 'archival_memory_search']],
    ['search=y_t', ['my_tool']],
    ['tool_types=custom', ['my_tool']],
    ['tool_types=custom,letta_memory_core', [...ofType('letta_memory_core'), 'my_tool'].toSorted()],
    [
      'exclude_tool_types=letta_core,letta_files_core,letta_memory_core,letta_sleeptime_core,letta_multi_agent_core,letta_builtin,letta_voice_sleeptime_core',
      ['my_tool'],
    ],
    ['return_only_letta_tools=true', BUILTIN_NAMES],
    ['return_only_letta_tools=true&tool_types=custom', []],
  ])('%s', async (query, expected) => {
    expect(await names(query)).toEqual(expected)
    expect((await server.request<number>('GET', `/v1/tools/count?${query}`)).body).toBe(expected.length)
  })

  test('count can leave out the tools of the server', async () => {
    expect((await server.request<number>('GET', '/v1/tools/count?exclude_letta_tools=true')).body).toBe(1)
  })

  test('an unknown type is a bad request', async () => {
    const response = await server.request('GET', '/v1/tools/?tool_types=custom,silly')
    expect(response.status).toBe(400)
    expect(response.body.detail).toContain("'silly'")
  })
})

test('the newest come first, page by page', async () => {
  const client = await server.sdk()
  const seen: string[] = []
  for await (const tool of client.tools.list({ limit: 4 })) seen.push(tool.name ?? '')
  expect(seen.toSorted()).toEqual(ALL_NAMES)
  const oldest = (await server.request<Tool[]>('GET', '/v1/tools/?order=asc&limit=100')).body.map((tool) => tool.name)
  expect(seen).toEqual(oldest.toReversed())
})
