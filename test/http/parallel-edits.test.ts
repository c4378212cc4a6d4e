import { afterAll, beforeAll, expect, it } from 'vitest'
import { findBrokenInvariants } from '../support/database-state.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Block {
  id: string
  value: string
}

const AGENTS = 40
const OTHERS = 15

/** Each agent adds the line that its user says to the block that all of them share. */
const model = scriptedModel(({ messages }) => {
  if (messages.at(-1)?.role === 'tool') return { text: 'Done.' }
  const said = messages.findLast((message) => message.role === 'user')
  const line = said?.role === 'user' ? said.content.map((part) => (part.type === 'text' ? part.text : '')).join('') : ''
  return { toolCalls: [{ name: 'memory_insert', arguments: { label: 'shared', new_string: line } }] }
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: model.registry })
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})

const request = async <Body>(method: 'GET' | 'POST' | 'PATCH', url: string, body?: object): Promise<Body> => {
  const answer = await server.request<Body>(method, url, body)
  expect(answer.status, JSON.stringify(answer.body)).toBe(200)
  return answer.body
}

const newestVersion = async (blockId: string): Promise<number> => {
  const [newest] = await request<{ version: number }[]>('GET', `/v1/blocks/${blockId}/versions?limit=1`)
  return newest?.version ?? 0
}

/** What a careful client does: it sends the version that it has read, and reads again after a 409. */
async function addLine(blockId: string, line: string): Promise<number> {
  for (let lost = 0; ; lost += 1) {
    const version = await newestVersion(blockId)
    const { value } = await request<Block>('GET', `/v1/blocks/${blockId}`)
    const body = { value: `${value}\n${line}`, expected_version: version }
    const { status } = await server.request('PATCH', `/v1/blocks/${blockId}`, body)
    if (status === 200) return lost
    expect(status).toBe(409)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(500, 5 * 2 ** lost)))
  }
}

it('no edit of a shared block is lost: by runs, by tools run by hand, by clients, all at once', async () => {
  const block = await request<Block>('POST', '/v1/blocks/', { label: 'shared', value: 'start' })
  const agents: string[] = []
  for (let n = 0; n < AGENTS; n += 1) {
    const id = await createTestAgent(server.context.db, server.context.models, { tools: ['memory_insert'] })
    await request('PATCH', `/v1/agents/${id}/core-memory/blocks/attach/${block.id}`)
    agents.push(id)
  }
  const ofRuns = agents.map((_, n) => `run ${n}`)
  const ofTools = agents.slice(0, OTHERS).map((_, n) => `tool ${n}`)
  const ofClients = agents.slice(0, OTHERS).map((_, n) => `client ${n}`)
  const lost = await Promise.all([
    ...ofRuns.map(async (input, n) => {
      const { messages } = await request<{
        messages: { message_type: string; status?: string; tool_return?: string }[]
      }>('POST', `/v1/agents/${agents[n]}/messages`, { input })
      const returned = messages.find(({ message_type }) => message_type === 'tool_return_message')
      expect(returned?.status, returned?.tool_return).toBe('success')
      return 0
    }),
    ...ofTools.map(async (new_string, n) => {
      const url = `/v1/agents/${agents[n]}/tools/memory_insert/run`
      const ran = await request<{ status: string }>('POST', url, { args: { label: 'shared', new_string } })
      expect(ran.status, JSON.stringify(ran)).toBe('success')
      return 0
    }),
    ...ofClients.map((line) => addLine(block.id, line)),
  ])
  const { value } = await request<Block>('GET', `/v1/blocks/${block.id}`)
  const version = await newestVersion(block.id)
  expect(value.split('\n').sort()).toEqual(['start', ...ofRuns, ...ofTools, ...ofClients].sort())
  expect(version).toBe(1 + AGENTS + 2 * OTHERS)
  // they were in each other's way
  expect(lost.reduce((sum, one) => sum + one, 0)).toBeGreaterThan(0)
  const versions = await request<{ author: { type: string; run_id: string | null; tool_name: string | null } }[]>(
    'GET',
    `/v1/blocks/${block.id}/versions?limit=100`,
  )
  expect(versions).toHaveLength(version)
  expect(versions.filter(({ author }) => author.run_id !== null && author.type === 'agent')).toHaveLength(AGENTS)
  expect(versions.filter(({ author }) => author.tool_name === 'memory_insert')).toHaveLength(AGENTS + OTHERS)
})
