import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { AgentWire } from '#http/v1/agents/agent-schema.ts'
import { DEFAULT_USER_ID } from '#platform/ids.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MODEL = 'openai/gpt-4o-mini'
let server: TestServer
const ids: Record<string, string> = {}
const nameOf = (id: string) => Object.keys(ids).find((name) => ids[name] === id) ?? id

beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel(() => ({ text: 'yes' })).registry })
  const make = async (name: string, body: object = {}) => {
    const response = await server.request<AgentWire>('POST', '/v1/agents/', { model: MODEL, name, ...body })
    ids[name] = response.body.id
  }
  await make('Ada', { tags: ['red', 'blue'], project_id: 'p1', template_id: 't1' })
  await make('Adam', { tags: ['red'], project_id: 'p1', base_template_id: 'b1' })
  await make('Bob', { tags: ['blue'], project_id: 'p2' })
  await make('Ghost', { hidden: true, tags: ['red'] })
  await make('Helper', { tags: ['role:subagent'] })
  for (const name of ['Adam', 'Ada']) {
    await server.request('POST', `/v1/agents/${ids[name]}/messages`, { messages: [{ role: 'user', content: 'hi' }] })
  }
})
afterAll(() => server.close())

const list = async (query: string, headers?: Record<string, string>) =>
  (await server.request<AgentWire[]>('GET', `/v1/agents/?${query}`, undefined, headers)).body.map(({ id }) =>
    nameOf(id),
  )
const count = async (query: string) => (await server.request<number>('GET', `/v1/agents/count?${query}`)).body

describe('list_agents and count_agents', () => {
  test.each<[string, string[]]>([
    ['', ['Bob', 'Adam', 'Ada']],
    ['order=asc', ['Ada', 'Adam', 'Bob']],
    ['show_hidden_agents=true', ['Helper', 'Ghost', 'Bob', 'Adam', 'Ada']],
    ['name=Ada', ['Ada']],
    ['query_text=ADA', ['Adam', 'Ada']],
    ['tags=red', ['Adam', 'Ada']],
    ['tags=red&tags=blue', ['Bob', 'Adam', 'Ada']],
    ['tags=red&tags=blue&match_all_tags=true', ['Ada']],
    ['project_id=p1', ['Adam', 'Ada']],
    ['template_id=t1', ['Ada']],
    ['base_template_id=b1', ['Adam']],
    ['last_stop_reason=end_turn', ['Adam', 'Ada']],
    ['last_stop_reason=error', []],
    [`created_by_id=${DEFAULT_USER_ID}`, ['Bob', 'Adam', 'Ada']],
    ['created_by_id=user-00000000-0000-4000-8000-000000000009', []],
    ['identifier_keys=somebody', []],
    // nulls last in both directions
    ['order_by=last_run_completion', ['Ada', 'Adam', 'Bob']],
    ['order_by=last_run_completion&order=asc', ['Adam', 'Ada', 'Bob']],
    ['order_by=updated_at&limit=1&project_id=p2', ['Bob']],
  ])('%s', async (query, names) => {
    expect(await list(query)).toEqual(names)
    if (!/order|limit|hidden/.test(query) && query !== '') {
      const shown = await list(`${query}&show_hidden_agents=true`)
      expect(await count(query)).toBe(shown.length)
    }
  })

  it('pages through last_run_completion, over the agents that never ran', async () => {
    const next = async (name: string, order: string) =>
      list(`order_by=last_run_completion&order=${order}&limit=1&after=${ids[name]}`)
    expect([await next('Ada', 'desc'), await next('Adam', 'desc'), await next('Bob', 'desc')]).toEqual([
      ['Adam'],
      ['Bob'],
      [],
    ])
    expect(await next('Ada', 'asc')).toEqual(['Bob'])
  })

  it('hides an agent that becomes the helper of others', async () => {
    const { body } = await server.request<AgentWire>('POST', '/v1/agents/', {
      model: MODEL,
      name: 'Late',
      project_id: 'p9',
    })
    expect(await list('project_id=p9')).toEqual([body.id])
    const changed = await server.request<AgentWire>('PATCH', `/v1/agents/${body.id}`, { tags: ['role:subagent'] })
    expect(changed.body.hidden).toBe(true)
    expect(await list('project_id=p9')).toEqual([])
    await server.request('DELETE', `/v1/agents/${body.id}`)
  })

  it('counts all agents, hidden ones too', async () => {
    expect(await count('')).toBe(5)
  })

  it('sees nothing of another organisation', async () => {
    const { headers } = await server.addOrganization()
    expect(await list('show_hidden_agents=true', headers)).toEqual([])
    expect(await list(`block_id=x&after=${ids.Ada}`, headers)).toEqual([])
  })
})

interface Found {
  agents: AgentWire[]
  nextCursor: string | null
}

describe('search', () => {
  const search = async (body: object, headers?: Record<string, string>) =>
    server.request<Found & { detail: string }>('POST', '/v1/agents/search', body, headers)
  const found = async (conditions: object[], over: object = {}) => {
    const response = await search({ search: conditions, combinator: 'AND', ...over })
    expect(response.status, JSON.stringify(response.body)).toBe(200)
    return response.body.agents.map(({ id }) => nameOf(id))
  }
  const counted = async (conditions: object[], query = '') => {
    const url = `/v1/agents/search/count?search=${encodeURIComponent(JSON.stringify(conditions))}${query}`
    const response = await server.request<{ count: number }>('GET', url)
    expect(response.status, JSON.stringify(response.body)).toBe(200)
    return response.body.count
  }

  const name = (operator: string, value: string) => ({ field: 'name', operator, value })
  const tags = (...value: string[]) => ({ field: 'tags', operator: 'contains', value })
  const cases: [object[], string[]][] = [
    [[], ['Bob', 'Adam', 'Ada']],
    [[name('eq', 'Ada')], ['Ada']],
    [[name('contains', 'da')], ['Adam', 'Ada']],
    [[name('contains', 'da'), name('contains', 'm')], ['Adam']],
    [[tags('red')], ['Adam', 'Ada']],
    [[tags('red', 'blue')], ['Ada']],
    [[tags('red'), tags('blue')], ['Ada']],
    [[tags('red'), name('eq', 'Bob')], []],
    [[{ field: 'identity', operator: 'eq', value: 'somebody' }], []],
  ]
  test.each(cases)('%j', async (conditions, names) => {
    expect(await found(conditions)).toEqual(names)
    expect(await counted(conditions)).toBe(names.length)
  })

  it('by id, by project, and paged', async () => {
    const byId = (id: string | undefined) => ({ field: 'agentId', operator: 'eq', value: id })
    expect(await found([byId(ids.Bob)])).toEqual(['Bob'])
    expect(await found([byId(ids.Bob), byId(ids.Ada)])).toEqual([])
    expect(await found([], { project_id: 'p1' })).toEqual(['Adam', 'Ada'])
    expect(await counted([], '&project_id=p1')).toBe(2)
    expect(await found([], { ascending: true, sortBy: 'last_run_completion' })).toEqual(['Adam', 'Ada', 'Bob'])
    const first = (await search({ limit: 2 })).body
    expect([first.agents.map(({ id }) => nameOf(id)), first.nextCursor]).toEqual([['Bob', 'Adam'], ids.Adam])
    const second = (await search({ limit: 2, after: first.nextCursor })).body
    expect([second.agents.map(({ id }) => nameOf(id)), second.nextCursor]).toEqual([['Ada'], null])
    expect(first.agents[1]?.tools).toHaveLength(3)
    expect(first.agents[1]?.tags).toEqual(['red'])
  })

  it('by the template that an agent was made of, and its version', async () => {
    await server.request('POST', '/v1/templates', { type: 'agent', agent_id: ids.Bob, name: 'mate' })
    const make = async (version: string) =>
      (await server.request<{ agent_ids: string[] }>('POST', `/v1/templates/mate:${version}/agents`, {})).body.agent_ids
    const first = await make('1')
    expect((await server.request('POST', '/v1/templates/mate/save', {})).status).toBe(200)
    const second = await make('latest')
    const of = (field: string, value: string) => [{ field, operator: 'eq', value }]
    expect(await found(of('templateName', 'mate'))).toEqual([...second, ...first])
    expect(await found(of('templateName', 'other'))).toEqual([])
    expect(await found(of('version', 'mate:1'))).toEqual(first)
    expect(await found(of('version', 'mate:latest'))).toEqual(second)
    expect(await found(of('version', 'default-project/mate:1'))).toEqual(first)
    expect(await found(of('version', 'elsewhere/mate:1'))).toEqual([])
    expect(await counted(of('version', 'mate:1'))).toBe(1)
    for (const id of [...first, ...second]) await server.request('DELETE', `/v1/agents/${id}`)
  })

  it('reads conditions of a URL in each form', async () => {
    const at = async (query: string) =>
      (await server.request<{ count: number }>('GET', `/v1/agents/search/count?${query}`)).body.count
    const json = (value: object) => encodeURIComponent(JSON.stringify(value))
    expect(await at(`search=${json(name('eq', 'Ada'))}`)).toBe(1)
    expect(await at(`search=${json(name('contains', 'A'))}&search=${json(tags('red'))}`)).toBe(2)
    expect(await at('search[0][field]=name&search[0][operator]=eq&search[0][value]=Bob')).toBe(1)
    expect(
      await at('search[0][field]=tags&search[0][operator]=contains&search[0][value][0]=red&search[0][value][1]=blue'),
    ).toBe(1)
    expect(
      await at('search[0][field]=tags&search[0][operator]=contains&search[0][value][]=red&search[0][value][]=blue'),
    ).toBe(1)
    expect(await at('')).toBe(3)
  })

  test.each([
    [422, { search: [{ field: 'age', operator: 'eq', value: '1' }] }],
    [422, { search: [name('like', 'x')] }],
    [422, { search: [{ field: 'tags', operator: 'contains', value: 'red' }] }],
    [422, { search: 'x' }],
    [422, { limit: 0 }],
    [422, { sortBy: 'name' }],
    [422, { combinator: 'OR' }],
    [400, { search: [{ field: 'version', value: 'x:current' }] }],
    [400, { search: [{ field: 'version', value: 'x:y' }] }],
    [404, { search: [{ field: 'version', value: 'a/b/c' }] }],
  ])('%i for %j', async (status, body) => {
    expect((await search(body)).status).toBe(status)
  })

  test.each(['search={', 'search=7', 'search={"field":"x"}', 'search[0][field]=name', 'combinator=OR'])(
    'a URL with %s is refused',
    async (query) => {
      expect((await server.request('GET', `/v1/agents/search/count?${query}`)).status).toBe(422)
    },
  )

  it('sees nothing of another organisation', async () => {
    const { headers } = await server.addOrganization()
    expect((await search({}, headers)).body).toEqual({ agents: [], nextCursor: null })
    expect((await server.request('GET', '/v1/agents/search/count', undefined, headers)).body).toEqual({ count: 0 })
  })
})
