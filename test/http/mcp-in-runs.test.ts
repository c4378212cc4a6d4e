import { afterAll, beforeAll, expect, it } from 'vitest'
import { objectTool, startScriptedMcpServer } from '../support/scripted-mcp-server.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent, storedMessages } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

/** Calls the tool that the message names, with what follows it as its argument. */
const model = scriptedModel(({ messages }) => {
  const last = messages.at(-1)
  if (last?.role !== 'user') return { text: 'Done.' }
  const said = last.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
  const [, name = '', word = ''] = /call (\w+) (\w+)/.exec(said) ?? []
  return { toolCalls: [{ name, arguments: { word } }] }
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({
    models: model.registry,
    config: { mcpAllowedHosts: '127.0.0.1', mcpCallTimeoutMs: 1_000 },
  })
})
afterAll(() => server.close())

it('an agent calls tools of MCP servers in its runs, with its own secrets, and a server that hangs does not hold it', async () => {
  await using remote = await startScriptedMcpServer({
    tools: [...['echo', 'hang', 'refuse'].map((name) => objectTool(name, { word: { type: 'string' } }))],
    call: async (name, { word }, { headers, signal }) => {
      if (name === 'hang') await new Promise((resolve) => signal.addEventListener('abort', resolve))
      const who = `${headers.get('x-agent-id')} ${headers.get('x-key')}`
      return { content: [{ type: 'text', text: `${word} for ${who}` }], isError: name === 'refuse' }
    },
  })
  const made = await server.request<{ id: string }>('POST', '/v1/mcp-servers/', {
    server_name: 'remote',
    config: {
      mcp_server_type: 'streamable_http',
      server_url: remote.url,
      custom_headers: { 'X-Key': '{{ REMOTE_KEY | nobody }}' },
    },
  })
  expect(made.status, JSON.stringify(made.body)).toBe(200)
  const tools = await server.request<{ id: string; name: string }[]>('GET', `/v1/mcp-servers/${made.body.id}/tools`)
  const agentId = await createTestAgent(server.context.db, server.context.models, {
    tool_ids: tools.body.map(({ id }) => id),
  })
  await server.request('PATCH', `/v1/agents/${agentId}`, { secrets: { REMOTE_KEY: 'key-of-the-agent' } })
  const say = (input: string) => server.request('POST', `/v1/agents/${agentId}/messages`, { input })
  await say('call echo hello')
  await say('call refuse hello')
  await say('call hang hello')
  const answer = await say('call echo again')
  expect(answer.status).toBe(200)
  const returns = (await storedMessages(server.context.db, agentId)).flatMap((message) => message.tool_returns ?? [])
  expect(returns).toMatchObject([
    // what the server repeats of the secret does not come back
    { status: 'success', text: `hello for ${agentId} [secret REMOTE_KEY]` },
    { status: 'error', text: expect.stringContaining('hello for') },
    { status: 'error', text: expect.stringContaining('remote') },
    { status: 'success', text: `again for ${agentId} [secret REMOTE_KEY]` },
  ])
})
