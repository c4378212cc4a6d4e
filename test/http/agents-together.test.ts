import type { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Script, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

/** Calls that an agent makes when it is told so: `call <tool> <arguments>`; everything else it repeats. */
const script: Script = ({ messages }) => {
  const last = messages.at(-1)
  if (last?.role === 'tool') return { text: `Heard: ${last.results[0]?.text}` }
  const said = last?.role === 'user' && last.content[0]?.type === 'text' ? last.content[0].text : ''
  const [, name, args] = /call (\w+) ({.*})$/s.exec(said) ?? []
  return name === undefined ? { text: `Echo ${said}` } : { toolCalls: [{ name, arguments: args }] }
}

let server: TestServer
let client: Letta
beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel(script).registry })
  client = await server.sdk()
})
afterAll(() => server.close())

/** The official client does not know the field any more. */
const newAgent = async (tags: string[] = []) => {
  const wish = { model: 'openai/gpt-4o-mini', include_multi_agent_tools: true, tags }
  return (await server.request<{ id: string }>('POST', '/v1/agents', wish)).body.id
}

const WAIT = 'send_message_to_agent_and_wait_for_reply'

/** Lets an agent call a tool, and gives the result. */
async function call(agentId: string, tool: string, args: unknown) {
  const { messages } = await client.agents.messages.create(agentId, { input: `call ${tool} ${JSON.stringify(args)}` })
  const result = messages.find((message) => message.message_type === 'tool_return_message')
  return result as unknown as { tool_return: string; status: string }
}
const texts = async (agentId: string) =>
  (await client.agents.messages.list(agentId)).items.map((message) =>
    String((message as { content?: unknown }).content),
  )

it('an agent asks another one and gets what it says', async () => {
  const [asker, other] = [await newAgent(), await newAgent()]
  const { tool_return, status } = await call(asker, WAIT, { message: 'Hi.', other_agent_id: other })
  expect(status).toBe('success')
  const incoming = `[Incoming message from agent with ID '${asker}' - your response will be delivered to the sender] Hi.`
  expect(JSON.parse(tool_return)).toMatchObject({ agent_id: other, response: [`Echo ${incoming}`] })
  expect(await texts(other)).toContain(incoming)
})

it('tells another one without waiting', async () => {
  const [asker, other] = [await newAgent(), await newAgent()]
  const sent = await call(asker, 'send_message_to_agent_async', { message: 'Hi.', other_agent_id: other })
  expect(sent.status).toBe('success')
  await expect.poll(async () => (await texts(other)).at(-1)).toContain('Echo [Incoming message from agent')
})

it('asks all that have the tags, but not itself', async () => {
  const asker = await newAgent(['crew', 'red'])
  const [red, blue, stranger] = [
    await newAgent(['crew', 'red']),
    await newAgent(['crew', 'blue']),
    await newAgent(['red']),
  ]
  const ask = async (match_all: string[], match_some: string[]) => {
    const { tool_return } = await call(asker, 'send_message_to_agents_matching_tags', {
      message: 'Hi.',
      match_all,
      match_some,
    })
    return (JSON.parse(tool_return) as { agent_id: string }[]).map(({ agent_id }) => agent_id).sort()
  }
  expect(await ask(['crew'], [])).toEqual([red, blue].sort())
  expect(await ask(['crew'], ['blue', 'green'])).toEqual([blue])
  expect(await ask([], ['red'])).toEqual([red, stranger].sort())
  const nobody = await call(asker, 'send_message_to_agents_matching_tags', {
    message: 'x',
    match_all: [],
    match_some: [],
  })
  expect(nobody.status).toBe('error')
})

it('refuses circles, strangers, and agents of another organisation', async () => {
  const [asker, other] = [await newAgent(), await newAgent()]
  expect((await call(asker, WAIT, { message: 'x', other_agent_id: asker })).status).toBe('error')
  const back = `call ${WAIT} ${JSON.stringify({ message: 'x', other_agent_id: asker })}`
  const around = await call(asker, WAIT, { message: back, other_agent_id: other })
  expect(around.tool_return).toContain('waits for this very answer')
  const missing = 'agent-01234567-89ab-4def-8123-456789abcdef'
  expect((await call(asker, WAIT, { message: 'x', other_agent_id: missing })).tool_return).toContain(
    'There is no agent',
  )
  const { headers } = await server.addOrganization()
  const foreign = await server.request('POST', '/v1/agents', { model: 'openai/gpt-4o-mini' }, headers)
  expect((await call(asker, WAIT, { message: 'x', other_agent_id: foreign.body.id })).tool_return).toContain(
    'There is no agent',
  )
})

it('stops where too many agents would wait for each other', async () => {
  const agents = await Promise.all(Array.from({ length: 7 }, () => newAgent()))
  const message = agents
    .slice(1)
    .reduceRight((inner, agent) => `call ${WAIT} ${JSON.stringify({ message: inner, other_agent_id: agent })}`, 'end')
  const { messages } = await client.agents.messages.create(agents[0] ?? '', { input: message })
  expect(JSON.stringify(messages)).toContain('agents wait for each other: not sent')
})

it('what an agent costs includes what others did for it, through however many of them', async () => {
  const [first, second, third] = [await newAgent(), await newAgent(), await newAgent()]
  const toThird = `call ${WAIT} ${JSON.stringify({ message: 'Hi.', other_agent_id: third })}`
  await call(first, WAIT, { message: toThird, other_agent_id: second })
  type Run = { id: string; agent_id: string }
  const runs = async (query: string) => (await server.request<Run[]>('GET', `/v1/runs?${query}`)).body
  const [root] = await runs(`agent_id=${first}`)
  const [middle] = await runs(`sent_by_run=${root?.id}`)
  const [leaf] = await runs(`sent_by_run=${middle?.id}`)
  expect([middle?.agent_id, leaf?.agent_id]).toEqual([second, third])
  const tokens = async (id: string | undefined, more = '') =>
    (await server.request<{ total_tokens: number }>('GET', `/v1/runs/${id}/usage${more}`)).body.total_tokens
  const own = [await tokens(root?.id), await tokens(middle?.id), await tokens(leaf?.id)]
  expect(own.every((count) => count > 0)).toBe(true)
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
  expect(await tokens(root?.id, '?include_sent=true')).toBe(sum(own))
  expect(await tokens(middle?.id, '?include_sent=true')).toBe(sum(own.slice(1)))
})
