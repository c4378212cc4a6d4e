import { ConflictError, NotFoundError, UnprocessableEntityError } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'mcp_server-01234567-89ab-4def-8123-456789abcdef'
const UNKNOWN_TOOL = 'tool-01234567-89ab-4def-8123-456789abcdef'
const URL = 'https://mcp.example.com/mcp'
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
  const local = { ...config, server_url: 'http://localhost:1234/mcp' }
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

operation(server, 'mcpServers.refresh', 'says that this version does not connect', async (client) => {
  const made = await client.mcpServers.create({ server_name: 'refresh', config })
  await expect(client.mcpServers.refresh(idOf(made))).rejects.toThrow(/MCPServerUnavailable.*does not connect/)
  await expect(client.mcpServers.refresh(UNKNOWN)).rejects.toThrow(NotFoundError)
})

operation(
  server,
  'mcpServers.tools.list',
  'gives the tools that were found: none, before a connection',
  async (client) => {
    const made = await client.mcpServers.create({ server_name: 'tools', config })
    expect(await client.mcpServers.tools.list(idOf(made))).toEqual([])
    await expect(client.mcpServers.tools.list(UNKNOWN)).rejects.toThrow(NotFoundError)
  },
)

operation(server, 'mcpServers.tools.retrieve', 'gives 404 for a tool that was not found there', async (client) => {
  const made = await client.mcpServers.create({ server_name: 'tool', config })
  const retrieved = client.mcpServers.tools.retrieve(UNKNOWN_TOOL, { mcp_server_id: idOf(made) })
  await expect(retrieved).rejects.toThrow(/was not found at the MCP server 'tool'/)
})

operation(server, 'mcpServers.tools.run', 'gives 404 for a tool that was not found there', async (client) => {
  const made = await client.mcpServers.create({ server_name: 'run', config })
  const run = client.mcpServers.tools.run(UNKNOWN_TOOL, { mcp_server_id: idOf(made), args: {} })
  await expect(run).rejects.toThrow(/was not found at the MCP server 'run'/)
})
