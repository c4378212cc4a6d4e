import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { BUILTIN_TOOLS } from '#tools/registry.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent, readBlock } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Tool {
  id: string
  name: string
  description: string
  tags: string[]
  json_schema: { name: string; description: string; parameters: { required: string[]; properties: object } }
  detail: string
  [field: string]: unknown
}
interface Execution {
  status: string
  func_return: string
  detail: string
}

const UNKNOWN = 'tool-01234567-89ab-4def-8123-456789abcdef'
const UNKNOWN_AGENT = 'agent-01234567-89ab-4def-8123-456789abcdef'

const source = (name: string, parameter = 'sides: int', doc = 'Roll a die.') =>
  `def ${name}(${parameter}):\n    """${doc}\n\n    Args:\n        ${parameter.split(':')[0]}: what it is\n    """\n    return 4\n`

const model = scriptedModel((request) =>
  request.messages.at(-1)?.role === 'tool'
    ? { text: 'Done.' }
    : {
        toolCalls: [
          { name: 'roll_in_run', arguments: { sides: 6 } },
          { name: 'bare', arguments: {} },
        ],
      },
)
let server: TestServer
let other: Record<string, string>
beforeAll(async () => {
  server = await startTestServer({ models: model.registry })
  other = (await server.addOrganization()).headers
})
afterAll(() => server.close())

const create = (body: object, headers = {}) => server.request<Tool>('POST', '/v1/tools/', body, headers)
const modify = (id: string, body: object, headers = {}) =>
  server.request<Tool>('PATCH', `/v1/tools/${id}`, body, headers)
const idOf = async (name: string) =>
  (await server.request<Tool[]>('GET', `/v1/tools/?name=${name}`)).body[0]?.id ?? 'none'

describe('making', () => {
  it('reads the schema from the source', async () => {
    const { status, body } = await create({ source_code: source('roll'), tags: ['game', 'game'] })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      name: 'roll',
      tool_type: 'custom',
      description: 'Roll a die.',
      source_type: 'python',
      tags: ['game'],
      return_char_limit: 50_000,
      json_schema: {
        name: 'roll',
        description: 'Roll a die.',
        parameters: { properties: { sides: { type: 'integer', description: 'what it is' } }, required: ['sides'] },
      },
      created_by_id: 'user-00000000-0000-4000-8000-000000000000',
    })
    expect((await server.request<Tool>('GET', `/v1/tools/${body.id}`)).body).toEqual(body)
  })

  it.each(['POST', 'PUT'] as const)(
    'again with %s overwrites the one of the name, and keeps what is not named',
    async (method) => {
      const name = `again_${method.toLowerCase()}`
      const first = await create({
        source_code: source(name),
        tags: ['a'],
        return_char_limit: 100,
        default_requires_approval: true,
        pip_requirements: [{ name: 'numpy' }],
      })
      const second = await server.request<Tool>(method, '/v1/tools/', {
        source_code: source(name, 'count: str', 'Other.'),
        tags: [],
        return_char_limit: null,
      })
      expect(second.body).toMatchObject({
        id: first.body.id,
        description: 'Other.',
        tags: ['a'],
        return_char_limit: 100,
        default_requires_approval: true,
        pip_requirements: [{ name: 'numpy', version: null }],
        json_schema: { parameters: { required: ['count'] } },
      })
      const third = await server.request<Tool>(method, '/v1/tools/', {
        source_code: source(name),
        tags: ['b'],
        description: 'Mine.',
      })
      expect(third.body).toMatchObject({ id: first.body.id, tags: ['b'], description: 'Mine.' })
    },
  )

  it('twelve times at once with one name makes one tool', async () => {
    const made = await Promise.all(Array.from({ length: 12 }, () => create({ source_code: source('at_once') })))
    expect(new Set(made.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1)
  })

  it('takes a given schema, one of the arguments, and TypeScript', async () => {
    const json_schema = { name: 'given', description: 'x', parameters: { type: 'object', properties: {} } }
    expect((await create({ source_code: 'anything', json_schema })).body).toMatchObject({ name: 'given', json_schema })
    const args_json_schema = { type: 'object', properties: { a: { type: 'string' } } }
    const described = await create({ source_code: source('described'), args_json_schema })
    expect(described.body).toMatchObject({ args_json_schema, json_schema: { parameters: args_json_schema } })
    const typescript = '/** Adds.\n * @param a - one\n */\nexport function add(a: number): number { return a }'
    expect((await create({ source_code: typescript, source_type: 'typescript' })).body).toMatchObject({
      name: 'add',
      source_type: 'typescript',
      json_schema: { parameters: { properties: { a: { type: 'number', description: 'one' } } } },
    })
  })

  it.each<[number, object, RegExp]>([
    [400, { source_code: 'def f(x):\n  """D."""' }, /^Failed to derive json schema: parameter 'x'/],
    [400, { source_code: source('a'.repeat(49)) }, /49 characters/],
    [400, { source_code: 'x', json_schema: { name: 'a b' } }, /name "a b"/],
    [400, { source_code: 'x', source_type: 'cobol' }, /cobol/],
    [422, {}, /source_code: Field required/],
    [422, { source_code: 3 }, /valid string/],
    [422, { source_code: source('f'), return_char_limit: 0 }, /return_char_limit/],
    [422, { source_code: source('f'), tags: 'a' }, /tags/],
    [422, { source_code: source('f'), pip_requirements: [{ name: '' }] }, /name/],
  ])('answers %i to %o', async (status, body, detail) => {
    const answer = await create(body)
    expect(answer.body.detail).toMatch(detail)
    expect(answer.status).toBe(status)
  })

  it('leaves the names of built-in tools alone', async () => {
    const answer = await create({ source_code: source('memory_insert') })
    expect(answer.status).toBe(409)
    expect(answer.headers['x-should-retry']).toBe('false')
    expect(answer.body.detail).toMatch(/'memory_insert' is taken/)
    expect((await server.request<Tool[]>('GET', '/v1/tools/?name=memory_insert')).body[0]?.tool_type).toBe(
      'letta_sleeptime_core',
    )
  })
})

describe('changing', () => {
  it('derives anew, renames, and leaves what is not named', async () => {
    const { body: tool } = await create({ source_code: source('before'), tags: ['a'], return_char_limit: 7 })
    const { status, body } = await modify(tool.id, { source_code: source('after', 'n: str', 'New.') })
    expect(status).toBe(200)
    expect(body).toMatchObject({
      id: tool.id,
      name: 'after',
      description: 'New.',
      tags: ['a'],
      return_char_limit: 7,
      json_schema: { name: 'after', parameters: { required: ['n'] } },
    })
    expect(await idOf('before')).toBe('none')
  })

  it('clears with null', async () => {
    const { body: tool } = await create({
      source_code: source('clearing'),
      description: 'Mine.',
      tags: ['a'],
      return_char_limit: 7,
      default_requires_approval: true,
      enable_parallel_execution: true,
      npm_requirements: [{ name: 'x', version: '1' }],
    })
    const set = await modify(tool.id, { metadata_: { a: 1 } })
    expect(set.body).toMatchObject({ description: 'Mine.', tags: ['a'], return_char_limit: 7, metadata_: { a: 1 } })
    const cleared = await modify(tool.id, {
      description: null,
      tags: null,
      return_char_limit: null,
      default_requires_approval: null,
      enable_parallel_execution: null,
      npm_requirements: null,
      metadata_: null,
      json_schema: null,
      source_code: null,
    })
    expect(cleared.body).toMatchObject({
      name: 'clearing',
      description: 'Roll a die.',
      tags: [],
      return_char_limit: 50_000,
      default_requires_approval: null,
      enable_parallel_execution: false,
      npm_requirements: null,
      metadata_: null,
      source_code: source('clearing'),
    })
  })

  it('takes a schema with another name only with a function of the name', async () => {
    const { body: tool } = await create({ source_code: `${source('one')}\n${source('two')}` })
    expect(tool.name).toBe('two')
    const refused = await modify(tool.id, { json_schema: { ...tool.json_schema, name: 'three' } })
    expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringMatching(/'three'.*only: one, two/) } })
    expect((await modify(tool.id, { json_schema: { ...tool.json_schema, name: 'one' } })).body.name).toBe('one')
    const kept = await modify(tool.id, { json_schema: { name: 'one', description: 'Said otherwise.' } })
    expect(kept.body).toMatchObject({ description: 'Said otherwise.', json_schema: { description: 'Said otherwise.' } })
  })

  it('answers 409 where the name is taken, also by a built-in tool', async () => {
    await create({ source_code: source('taken') })
    const { body: tool } = await create({ source_code: source('free') })
    for (const name of ['taken', 'memory']) {
      const answer = await modify(tool.id, { source_code: source(name) })
      expect(answer.status).toBe(409)
      expect(answer.body.detail).toContain(`'${name}' is taken`)
    }
    expect((await server.request<Tool>('GET', `/v1/tools/${tool.id}`)).body).toEqual(tool)
  })

  it('carries rules of agents over to the new name', async () => {
    const { body: tool } = await create({ source_code: source('ruled'), default_requires_approval: true })
    const agentId = await createTestAgent(server.context.db, server.context.models, { tool_ids: [tool.id] })
    await modify(tool.id, { source_code: source('ruled_anew') })
    const agent = await server.request<{ tool_rules: object[] }>('GET', `/v1/agents/${agentId}`)
    expect(agent.body.tool_rules).toMatchObject([{ type: 'requires_approval', tool_name: 'ruled_anew' }])
  })

  it('of a built-in tool sets how it is used, not what it is', async () => {
    const id = await idOf('core_memory_append')
    const set = await modify(id, { return_char_limit: 9, default_requires_approval: true, metadata_: { a: 1 } })
    expect(set.body).toMatchObject({ return_char_limit: 9, default_requires_approval: true, metadata_: { a: 1 } })
    for (const change of [{ source_code: source('x') }, { description: 'Mine.' }, { json_schema: { name: 'x' } }]) {
      const refused = await modify(id, change)
      expect(refused).toMatchObject({ status: 400, body: { detail: expect.stringContaining('comes with the server') } })
    }
    await modify(id, { return_char_limit: null, default_requires_approval: null, metadata_: null })
  })
})

describe('deleting', () => {
  it('takes the tool from agents too', async () => {
    const { body: tool } = await create({ source_code: source('doomed') })
    const agentId = await createTestAgent(server.context.db, server.context.models, { tools: ['doomed'] })
    const attached = () => server.request<Tool[]>('GET', `/v1/agents/${agentId}/tools`)
    expect((await attached()).body.map(({ name }) => name)).toContain('doomed')
    expect(await server.request('DELETE', `/v1/tools/${tool.id}`)).toMatchObject({ status: 200, body: null })
    expect((await attached()).body.map(({ name }) => name)).not.toContain('doomed')
    expect((await server.request('GET', `/v1/tools/${tool.id}`)).status).toBe(404)
    expect((await server.request('DELETE', `/v1/tools/${tool.id}`)).status).toBe(404)
  })

  it('a built-in tool lasts until tools are listed, or base tools added', async () => {
    const id = await idOf('memory_rethink')
    await server.request('DELETE', `/v1/tools/${id}`)
    expect((await server.request('GET', `/v1/tools/${id}`)).status).toBe(404)
    expect(await idOf('memory_rethink')).toMatch(/^tool-/)
    await server.request('DELETE', `/v1/tools/${await idOf('memory_rethink')}`)
    const added = await server.request<Tool[]>('POST', '/v1/tools/add-base-tools')
    expect(added.body.map(({ name }) => name).toSorted()).toEqual(BUILTIN_TOOLS.map(({ name }) => name).toSorted())
  })
})

describe('searching', () => {
  const search = async (body: object) =>
    (
      await server.request<{ tool: Tool; fts_rank: number | null; combined_score: number }[]>(
        'POST',
        '/v1/tools/search',
        body,
      )
    ).body

  it('finds by the words of name, description and tags, best first', async () => {
    await create({ source_code: source('send_mail', 'to: str', 'Sends an email to somebody.'), tags: ['postal'] })
    await create({ source_code: source('getWeather', 'at: str', 'Tells the weather, and sends nothing.') })
    const found = await search({ query: 'sending mail to people', tool_types: ['custom'] })
    expect(found.map(({ tool }) => tool.name)).toEqual(['send_mail', 'getWeather'])
    expect(found.map(({ fts_rank }) => fts_rank)).toEqual([1, 2])
    expect(found[0]?.combined_score).toBeGreaterThan(found[1]?.combined_score ?? 1)
    const names = async (body: object) => (await search(body)).map(({ tool }) => tool.name)
    expect(await names({ query: 'weath', tool_types: ['custom'] })).toEqual(['getWeather'])
    expect(await names({ query: 'postal' })).toEqual(['send_mail'])
    expect(await names({ query: 'sends -weather', tool_types: ['custom'] })).toEqual(['send_mail'])
    expect(await names({ query: 'mail', tags: ['other'] })).toEqual([])
    expect(await names({ query: 'conversation', limit: 1 })).toEqual(['conversation_search'])
    expect(await names({ tags: ['postal', 'other'] })).toEqual(['send_mail'])
    expect(await names({ query: '?!' })).toEqual([])
    expect((await search({ limit: 3 })).map(({ combined_score }) => combined_score)).toEqual([0, 0, 0])
    expect((await server.request('POST', '/v1/tools/search', { query: 'mail' }, other)).body).toEqual([])
  })

  it('refuses what it cannot do', async () => {
    const ask = (body: object) => server.request('POST', '/v1/tools/search', body)
    expect(await ask({ query: 'x', search_mode: 'vector' })).toMatchObject({ status: 400 })
    expect(await ask({ tool_types: ['silly'] })).toMatchObject({ status: 400 })
    expect(await ask({ limit: 101 })).toMatchObject({ status: 422 })
    expect(await ask({ query: 3 })).toMatchObject({ status: 422 })
  })
})

describe('reading and running a source', () => {
  it('gives its schema and stores nothing', async () => {
    const { status, body } = await server.request('POST', '/v1/tools/generate-schema', { code: source('unstored') })
    expect(status).toBe(200)
    expect(body).toMatchObject({ name: 'unstored', parameters: { required: ['sides'] } })
    expect(await idOf('unstored')).toBe('none')
    expect((await server.request('POST', '/v1/tools/generate-schema', { code: 'x' })).status).toBe(400)
    expect((await server.request('POST', '/v1/tools/generate-schema', {})).status).toBe(422)
  })
})

describe('running a tool of an agent by hand', () => {
  const run = (agentId: string, name: string, args: object, headers = {}) =>
    server.request<Execution>('POST', `/v1/agents/${agentId}/tools/${name}/run`, { args }, headers)
  const newAgent = (tools: string[]) => createTestAgent(server.context.db, server.context.models, { tools })

  it('edits memory for real, with a version by the person', async () => {
    const agentId = await newAgent([])
    const answer = await run(agentId, 'memory_insert', { label: 'human', new_string: 'Likes tea.' })
    expect(answer.body).toMatchObject({ status: 'success', func_return: 'Likes tea.', agent_state: null, stderr: [] })
    expect(await readBlock(server.context.db, agentId, 'human')).toEqual({ value: 'Likes tea.', version: 2 })
    const messages = await server.request<object[]>('GET', `/v1/agents/${agentId}/messages`)
    expect(messages.body).toHaveLength(1)
  })

  it('makes, renames and detaches blocks, and stores passages', async () => {
    const agentId = await newAgent(['memory', 'archival_memory_insert', 'archival_memory_search'])
    const labels = async () =>
      (await server.request<{ label: string }[]>('GET', `/v1/agents/${agentId}/core-memory/blocks?order=asc`)).body.map(
        ({ label }) => label,
      )
    const steps = [
      [
        { command: 'create', path: '/memories/plan', description: 'what next', file_text: 'one' },
        ['human', 'persona', 'plan'],
      ],
      [{ command: 'rename', old_path: '/memories/plan', new_path: '/memories/todo' }, ['human', 'persona', 'todo']],
      [{ command: 'delete', path: '/memories/todo' }, ['human', 'persona']],
    ] as const
    for (const [args, expected] of steps) {
      expect((await run(agentId, 'memory', args)).body).toMatchObject({ status: 'success' })
      expect((await labels()).toSorted()).toEqual(expected)
    }
    expect(
      (await run(agentId, 'archival_memory_insert', { content: 'The sky is blue.', tags: ['sky'] })).body.status,
    ).toBe('success')
    expect((await run(agentId, 'archival_memory_search', { query: 'sky' })).body.func_return).toContain(
      'The sky is blue.',
    )
  })

  it('loses no edit among twelve at once', async () => {
    const agentId = await newAgent([])
    const words = Array.from({ length: 12 }, (_, index) => `word${index}`)
    const answers = await Promise.all(
      words.map((word) => run(agentId, 'memory_insert', { label: 'human', new_string: word })),
    )
    expect(answers.map(({ body }) => body.status)).toEqual(words.map(() => 'success'))
    const block = await readBlock(server.context.db, agentId, 'human')
    expect(block?.value.split('\n').filter(Boolean).toSorted()).toEqual(words.toSorted())
  })

  it('tells what the model could mend as an error, with nothing changed', async () => {
    const agentId = await newAgent([])
    expect((await run(agentId, 'memory_insert', { label: 'none', new_string: 'x' })).body).toMatchObject({
      status: 'error',
      func_return: expect.stringContaining('does not exist'),
    })
    expect((await run(agentId, 'memory_insert', { label: 3 })).body.func_return).toMatch(/Invalid arguments/)
    expect((await readBlock(server.context.db, agentId, 'human'))?.version).toBe(1)
  })

  it('cuts results at the limit of the tool', async () => {
    const id = await idOf('memory_replace')
    await modify(id, { return_char_limit: 5 })
    const agentId = await newAgent([])
    const answer = await run(agentId, 'memory_replace', { label: 'persona', old_string: 'Ada', new_string: 'Grace' })
    expect(answer.body.func_return).toBe(
      'I am ... [NOTE: function output was truncated since it exceeded the character limit: 11 > 5]',
    )
    await modify(id, { return_char_limit: null })
  })

  it('answers 404 to tools that the agent does not have, and to agents that there are not', async () => {
    const agentId = await newAgent([])
    expect(await run(agentId, 'core_memory_append', {})).toMatchObject({ status: 404 })
    expect(await run(UNKNOWN_AGENT, 'memory_insert', {})).toMatchObject({ status: 404 })
    const foreign = await run(agentId, 'memory_insert', { label: 'human', new_string: 'x' }, other)
    const unknown = await run(UNKNOWN_AGENT, 'memory_insert', {}, other)
    expect(foreign.status).toBe(404)
    expect(foreign.body.detail.replace(agentId, '')).toBe(unknown.body.detail.replace(UNKNOWN_AGENT, ''))
    expect((await run('agent-x', 'memory_insert', {})).status).toBe(422)
    expect((await server.request('POST', `/v1/agents/${agentId}/tools/memory_insert/run`, { args: 3 })).status).toBe(
      422,
    )
  })
})

describe('in a run', () => {
  it('the model is offered the schema, and gets the result of the call', async () => {
    const { body: tool } = await create({ source_code: source('roll_in_run') })
    await create({ source_code: 'x', json_schema: { name: 'bare' } })
    const agentId = await createTestAgent(server.context.db, server.context.models, { tools: ['bare'] })
    await server.request('PATCH', `/v1/agents/${agentId}/tools/attach/${tool.id}`)
    const answer = await server.request<{ messages: { message_type: string; tool_returns: object[] }[] }>(
      'POST',
      `/v1/agents/${agentId}/messages`,
      { input: 'Roll!' },
    )
    const offered = model.requests.at(-1)?.tools.filter(({ name }) => ['roll_in_run', 'bare'].includes(name))
    expect(offered).toEqual([
      { name: 'bare', description: '', parameters: { type: 'object', properties: {} } },
      { ...tool.json_schema },
    ])
    const returned = answer.body.messages.filter(({ message_type }) => message_type === 'tool_return_message')
    expect(returned.flatMap(({ tool_returns }) => tool_returns)).toMatchObject([
      { status: 'success', tool_return: '4' },
      { status: 'error', tool_return: expect.stringMatching(/^Error executing function bare: NameError/) },
    ])
    await server.request('PATCH', `/v1/agents/${agentId}/tools/detach/${tool.id}`)
    await server.request('POST', `/v1/agents/${agentId}/messages`, { input: 'Roll!' })
    expect(model.requests.at(-1)?.tools.map(({ name }) => name)).not.toContain('roll_in_run')
  })
})

describe('another organisation', () => {
  it.each(['GET', 'PATCH', 'DELETE'] as const)('gets the same 404 from %s as for an unknown id', async (method) => {
    const { body: tool } = await create({ source_code: source('not_yours') })
    const body = method === 'PATCH' ? { description: 'x' } : undefined
    const foreign = await server.request(method, `/v1/tools/${tool.id}`, body, other)
    const unknown = await server.request(method, `/v1/tools/${UNKNOWN}`, body, other)
    expect([foreign.status, unknown.status]).toEqual([404, 404])
    expect(String(foreign.body.detail).replace(tool.id, UNKNOWN)).toBe(unknown.body.detail)
    expect((await server.request(method, '/v1/tools/tool-x', body)).status).toBe(422)
    expect((await server.request<Tool>('GET', `/v1/tools/${tool.id}`)).body).toEqual(tool)
  })

  it('has names of its own', async () => {
    const mine = await create({ source_code: source('shared_name') })
    const theirs = await create({ source_code: source('shared_name', 'n: str') }, other)
    expect(theirs.body.id).not.toBe(mine.body.id)
    expect((await server.request<Tool>('GET', `/v1/tools/${mine.body.id}`)).body).toEqual(mine.body)
    const agentId = await createTestAgent(server.context.db, server.context.models)
    expect((await server.request('PATCH', `/v1/agents/${agentId}/tools/attach/${theirs.body.id}`)).status).toBe(404)
    expect(DEFAULT_ORGANIZATION_ID).not.toBe(other['x-test-organization'])
  })
})
