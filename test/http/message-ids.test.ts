import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { AgentWire } from '#http/v1/agents/agent-schema.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let delayMs = 0
const remember = { id: 'asks', name: 'memory_insert', arguments: { label: 'human', new_string: 'x' } }
const { registry, requests } = scriptedModel(({ messages }) =>
  JSON.stringify(messages.at(-1)).includes('ask first') ? { toolCalls: [remember] } : { text: 'yes', delayMs },
)
let id: string
/** The system message, then question and answer of three turns. */
let all: string[]

beforeAll(async () => {
  server = await startTestServer({ models: registry })
  id = (await server.request<AgentWire>('POST', '/v1/agents/', { model: 'openai/gpt-4o-mini' })).body.id
  for (const text of ['one', 'two', 'three']) await say(text)
  all = (await read()).message_ids
})
afterAll(() => server.close())

const say = (text: string) =>
  server.request('POST', `/v1/agents/${id}/messages`, { messages: [{ role: 'user', content: text }] })
const read = async () => (await server.request<AgentWire>('GET', `/v1/agents/${id}`)).body
const choose = (message_ids: unknown, headers?: Record<string, string>) =>
  server.request<AgentWire & { detail: string }>('PATCH', `/v1/agents/${id}`, { message_ids }, headers)
/** Message ids by their position in `all`. */
const pick = (...positions: number[]) => positions.map((position) => all[position])

describe('message_ids of an agent', () => {
  it('lets the context begin later, and earlier again; nothing is lost', async () => {
    expect(all).toHaveLength(7)
    expect((await choose(pick(0, 5, 6))).body.message_ids).toEqual(pick(0, 5, 6))
    expect((await server.request<unknown[]>('GET', `/v1/agents/${id}/messages`)).body).toHaveLength(7)
    expect((await choose(pick(0))).body.message_ids).toEqual(pick(0))
    expect((await choose(all)).body.message_ids).toEqual(all)
    expect((await choose(all)).status).toBe(200)
    expect((await choose(null)).body.message_ids).toEqual(all)
  })

  test.each([
    ['none at all', []],
    ['no system message', [5, 6]],
    ['a gap', [0, 3, 6]],
    ['the newest left out', [0, 4, 5]],
    ['another order', [0, 6, 5]],
    ['one twice', [0, 6, 6]],
  ])('%s is refused, and nothing changes', async (_, positions) => {
    const response = await choose(pick(...positions))
    expect([response.status, response.body.detail]).toEqual([400, expect.stringContaining('has no gaps')])
    expect((await read()).message_ids).toEqual(all)
  })

  it('ids that are none, and of another organisation', async () => {
    expect((await choose(['x'])).status).toBe(422)
    expect((await choose([all[0], 'message-01234567-89ab-4def-8123-456789abcdef'])).status).toBe(400)
    const { headers } = await server.addOrganization()
    expect((await choose(all, headers)).status).toBe(404)
  })

  it('is the context of the next turn', async () => {
    await choose(pick(0, 5, 6))
    await say('four')
    expect(requests.at(-1)?.messages.map((message) => message.role)).toEqual(['system', 'user', 'assistant', 'user'])
    all = [...pick(0, 5, 6), ...(await read()).message_ids.slice(3)] as string[]
    expect((await read()).message_ids).toEqual(all)
  })

  it('does not lose a request that waits for an approval', async () => {
    const agent = await server.request<AgentWire>('POST', '/v1/agents/', {
      model: 'openai/gpt-4o-mini',
      memory_blocks: [{ label: 'human', value: '' }],
      tool_rules: [{ type: 'requires_approval', tool_name: 'memory_insert' }],
    })
    const url = `/v1/agents/${agent.body.id}`
    await server.request('POST', `${url}/messages`, { input: 'ask first' })
    const { message_ids: ids } = (await server.request<AgentWire>('GET', url)).body
    const refused = await server.request('PATCH', url, { message_ids: ids.slice(0, 1) })
    expect([refused.status, refused.body.detail]).toEqual([409, expect.stringContaining('asks for an approval')])
    expect((await server.request('PATCH', url, { message_ids: ids })).status).toBe(200)
    const approvals = [{ type: 'approval', tool_call_id: 'asks', approve: true }]
    const answered = await server.request('POST', `${url}/messages`, { messages: [{ type: 'approval', approvals }] })
    expect(answered.status).toBe(200)
  })

  it('waits for no run, and interrupts none', async () => {
    delayMs = 1500
    const asked = say('slow')
    await expect.poll(() => JSON.stringify(requests.at(-1))).toContain('slow')
    const response = await choose(all)
    expect([response.status, response.body.detail]).toEqual([409, expect.stringContaining('is answering')])
    expect((await asked).status).toBe(200)
    delayMs = 0
  })
})
