import { ConflictError, type Letta, NotFoundError, UnprocessableEntityError } from '@letta-ai/letta-client'
import { expect, it } from 'vitest'
import { startEverything } from '../support/mcp-everything.ts'
import { objectTool, startScriptedMcpServer } from '../support/scripted-mcp-server.ts'
import { operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'mcp_server-01234567-89ab-4def-8123-456789abcdef'
const UNKNOWN_TOOL = 'tool-01234567-89ab-4def-8123-456789abcdef'
// reserved: nobody is there (RFC 6761)
const URL = 'https://mcp.invalid/mcp'
const config = { mcp_server_type: 'streamable_http', server_url: URL } as const

/** The id that every answer has, though the client's types call it optional. */
const idOf = ({ id }: { id?: string }): string => id ?? 'none'

operation(server, 'mcpServers.create', 'stores a server and shows no secret', async (client) => {
  const secrets = { auth_header: 'Authorization', auth_token: 'Bearer s3cret', custom_headers: { 'X-Key': 's3cret' } }
  const made = await client.mcpServers.create({ server_name: 'create', config: { ...config, ...secrets } })
  expect(made).toMatchObject({ server_name: 'create', ...config, auth_header: 'Authorization' })
  expect(idOf(made)).toMatch(/^mcp_server-/)
  expect(JSON.stringify(made)).not.toContain('s3cret')
  await expect(client.mcpServers.create({ server_name: 'create', config })).rejects.toThrow(ConflictError)
  const local = { ...config, server_url: 'http://10.1.2.3/mcp' }
  await expect(client.mcpServers.create({ server_name: 'local', config: local })).rejects.toThrow(
    UnprocessableEntityError,
  )
})

operation(server, 'mcpServers.list', 'lists them', async (client) => {
  const made = await client.mcpServers.create({ server_name: 'list', config: { ...config, mcp_server_type: 'sse' } })
  expect(await client.mcpServers.list()).toContainEqual(made)
})

operation(server, 'mcpServers.retrieve', 'gives one, and 404 for none', async (client) => {
  const made = await client.mcpServers.create({ server_name: 'retrieve', config })
  expect(await client.mcpServers.retrieve(idOf(made))).toEqual(made)
  await expect(client.mcpServers.retrieve(UNKNOWN)).rejects.toThrow(NotFoundError)
})

operation(server, 'mcpServers.update', 'renames and changes', async (client) => {
  const made = await client.mcpServers.create({ server_name: 'update', config: { ...config, auth_token: 'x' } })
  const changed = await client.mcpServers.update(idOf(made), {
    server_name: 'updated',
    config: { ...config, server_url: `${URL}/2`, auth_token: null },
  })
  expect(changed).toMatchObject({ id: idOf(made), server_name: 'updated', server_url: `${URL}/2`, auth_token: null })
  await client.mcpServers.create({ server_name: 'in the way', config })
  const renamed = client.mcpServers.update(idOf(made), { server_name: 'in the way', config })
  await expect(renamed).rejects.toThrow(ConflictError)
})

operation(server, 'mcpServers.delete', 'deletes', async (client) => {
  const made = await client.mcpServers.create({ server_name: 'delete', config })
  await client.mcpServers.delete(idOf(made))
  await expect(client.mcpServers.retrieve(idOf(made))).rejects.toThrow(NotFoundError)
  await expect(client.mcpServers.delete(idOf(made))).rejects.toThrow(NotFoundError)
})

/** A server with these tools, stored as `server_name`. */
async function connected(client: Letta, server_name: string, tools: readonly string[]) {
  const scripted = await startScriptedMcpServer({
    tools: tools.map((name) => objectTool(name, { word: { type: 'string' } })),
    call: (name, args) => ({ content: [{ type: 'text', text: `${name}: ${args.word}` }] }),
  })
  const made = await client.mcpServers.create({ server_name, config: { ...config, server_url: scripted.url } })
  return Object.assign(scripted, { id: idOf(made) })
}

operation(server, 'mcpServers.refresh', 'tells what was added, updated and deleted', async (client) => {
  await using scripted = await connected(client, 'refresh', ['refresh_stays', 'refresh_goes'])
  scripted.script.tools = [objectTool('refresh_stays'), objectTool('refresh_comes')]
  expect(await client.mcpServers.refresh(scripted.id)).toEqual({
    added: ['refresh_comes'],
    updated: ['refresh_stays'],
    deleted: ['refresh_goes'],
    skipped: [],
  })
  const nobody = await client.mcpServers.create({ server_name: 'refresh nobody', config })
  await expect(client.mcpServers.refresh(idOf(nobody))).rejects.toThrow(/MCPServerUnavailable.*cannot be reached/)
  await expect(client.mcpServers.refresh(UNKNOWN)).rejects.toThrow(NotFoundError)
})

operation(server, 'mcpServers.tools.list', 'gives the tools that were found when it was made', async (client) => {
  await using scripted = await connected(client, 'tools', ['listed_one', 'listed_two'])
  const tools = await client.mcpServers.tools.list(scripted.id)
  expect(tools).toMatchObject([
    { name: 'listed_one', tool_type: 'external_mcp', tags: ['mcp:tools'] },
    { name: 'listed_two' },
  ])
  await expect(client.mcpServers.tools.list(UNKNOWN)).rejects.toThrow(NotFoundError)
})

operation(server, 'mcpServers.tools.retrieve', 'gives a tool, and 404 for one of no server', async (client) => {
  await using scripted = await connected(client, 'tool', ['retrieved'])
  const [tool] = await client.mcpServers.tools.list(scripted.id)
  const at = { mcp_server_id: scripted.id }
  expect(await client.mcpServers.tools.retrieve(tool?.id ?? '', at)).toEqual(tool)
  const unknown = client.mcpServers.tools.retrieve(UNKNOWN_TOOL, at)
  await expect(unknown).rejects.toThrow(/was not found at the MCP server 'tool'/)
})

operation(server, 'mcpServers.tools.run', 'runs a tool of the reference server', async (client) => {
  await using everything = await startEverything('streamableHttp')
  const made = await client.mcpServers.create({
    server_name: 'everything',
    config: { ...config, server_url: everything.url },
  })
  const at = { mcp_server_id: idOf(made) }
  const tools = await client.mcpServers.tools.list(idOf(made))
  const idOfTool = (name: string) => tools.find((tool) => tool.name === name)?.id ?? expect.fail(`no ${name}`)
  const echoed = await client.mcpServers.tools.run(idOfTool('echo'), { ...at, args: { message: 'hello' } })
  expect(echoed).toMatchObject({ status: 'success', func_return: 'Echo: hello' })
  const refused = await client.mcpServers.tools.run(idOfTool('echo'), { ...at, args: {} })
  expect(refused).toMatchObject({ status: 'error', func_return: expect.stringMatching(/message/) })
  await expect(client.mcpServers.tools.run(UNKNOWN_TOOL, { ...at, args: {} })).rejects.toThrow(NotFoundError)
})

it('GET /v1/mcp-servers/connect/{id} tells how it connects, as events', async () => {
  const client = server.client()
  await using scripted = await connected(client, 'connect', ['connected'])
  const { url, apiKey } = server.target()
  const answer = await fetch(`${url}/v1/mcp-servers/connect/${scripted.id}`, {
    headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` },
  })
  expect(answer.headers.get('content-type')).toBe('text/event-stream')
  const lines = (await answer.text()).split('\n\n').filter(Boolean)
  expect(lines.map((line) => JSON.parse(line.replace(/^data: /, '')))).toMatchObject([
    { event: 'connection_attempt', server_name: 'connect' },
    { event: 'success', tools: [{ name: 'connected' }] },
  ])
})
