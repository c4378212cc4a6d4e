import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import {
  type CallToolResult,
  createMcpHandler,
  fromJsonSchema,
  type JsonSchemaType,
  McpServer,
} from '@modelcontextprotocol/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '#context.ts'
import type { Actor, App } from '#http/app.ts'
import { isLoopbackHost } from '#http/plugins/loopback.ts'
import { presentError, UNKNOWN_ERROR } from '#http/wire/errors.ts'
import { DomainError } from '#platform/errors.ts'
import { VERSION } from '#platform/version.ts'
import { editBlock } from './edit-block.ts'
import { getAgent } from './get-agent.ts'
import { insertMemory } from './insert-memory.ts'
import { listAgents } from './list-agents.ts'
import { listBlocks } from './list-blocks.ts'
import type { McpTool } from './mcp-tool.ts'
import { readBlock } from './read-block.ts'
import { searchMemory } from './search-memory.ts'
import { sendMessage } from './send-message.ts'
import { withProgress } from './with-progress.ts'

/** A new one is a file here and a line. */
const TOOLS: readonly McpTool[] = [
  listAgents,
  getAgent,
  sendMessage,
  searchMemory,
  listBlocks,
  readBlock,
  editBlock,
  insertMemory,
]

/** Compiled once, not for each request. */
const inputs = new Map(TOOLS.map(({ name, input }) => [name, fromJsonSchema(input as JsonSchemaType)]))

const INSTRUCTIONS =
  'Agents on this server are stateful: each remembers its conversations and keeps memory of its own. Find an agent with list_agents, speak to it with send_message, look into its memory with search_memory and read_block.'

/**
 * Perdure as an MCP server (streamable HTTP): agents and their memory for Claude, Cursor and others. Nothing is kept between two requests,
 * so that any replica serves any of them. Web pages with an access token have no way in: a token is for one agent, and this is for all.
 */
export function registerMcpEndpoint(app: App, context: Context): void {
  const { corsOrigins } = context.config
  app.post(
    '/mcp',
    { config: { permission: 'mcp:use', idempotency: 'none' }, schema: { hide: true } },
    async (request, reply) => {
      refuseForeignPages(request.headers.origin, corsOrigins)
      const handler = createMcpHandler(() => createServer(context, request, reply), {
        responseMode: 'sse',
        keepAliveMs: context.config.keepaliveIntervalMs,
        // nothing changes that a client could be told of
        maxSubscriptions: 0,
      })
      const response = await handler.fetch(toWebRequest(request), { parsedBody: request.body })
      return send(reply, response)
    },
  )
}

/** The specification's guard against pages of others, whatever credential their request carries. */
function refuseForeignPages(origin: string | undefined, corsOrigins: readonly string[]): void {
  if (origin === undefined || corsOrigins.includes(origin)) return
  const url = URL.parse(origin)
  if (url !== null && /^https?:$/.test(url.protocol) && isLoopbackHost(url.host)) return
  throw new DomainError(
    'forbidden',
    'Web pages of this origin may not call this server. Add the origin to PERDURE_CORS_ORIGINS.',
    { canRetry: false },
  )
}

function createServer(context: Context, request: FastifyRequest, reply: FastifyReply): McpServer {
  const server = new McpServer({ name: 'perdure', title: 'Perdure', version: VERSION }, { instructions: INSTRUCTIONS })
  for (const tool of TOOLS) {
    const inputSchema = inputs.get(tool.name)
    if (inputSchema === undefined) throw new Error(`${tool.name} has no schema`)
    const { title, description, isReadOnly } = tool
    const annotations = {
      readOnlyHint: isReadOnly,
      destructiveHint: tool === editBlock,
      openWorldHint: tool === sendMessage,
    }
    server.registerTool(tool.name, { title, description, inputSchema, annotations }, (args, call) =>
      withProgress(call, context.config.keepaliveIntervalMs, () =>
        callTool(tool, { context, request, reply }, args as Record<string, unknown>),
      ),
    )
  }
  return server
}

async function callTool(
  tool: McpTool,
  { context, request, reply }: { context: Context; request: FastifyRequest; reply: FastifyReply },
  args: Record<string, unknown>,
): Promise<CallToolResult> {
  try {
    requirePermissions(request.actor, tool)
    const answer = await tool.call({ context, actor: request.actor, args, request, reply })
    return { content: [{ type: 'text', text: typeof answer === 'string' ? answer : JSON.stringify(answer, null, 2) }] }
  } catch (error) {
    const known = presentError(error)
    if (known === undefined || known.status >= 500)
      request.log.error({ err: error, tool: tool.name }, 'MCP tool failed')
    return { isError: true, content: [{ type: 'text', text: toText((known ?? UNKNOWN_ERROR).body) }] }
  }
}

/** Who may not do everything may do nothing here: the route is closed to access tokens, and this is the second lock. */
function requirePermissions(actor: Actor, { name, permissions }: McpTool): void {
  if (actor.access === undefined) return
  throw new DomainError('forbidden', `This credential does not allow ${name}: it needs ${permissions.join(' and ')}.`)
}

/** The sentence of an error's body, in either shape that the REST API has for them. */
function toText(body: Record<string, unknown>): string {
  const { detail, error } = body as { detail?: unknown; error?: { message?: unknown } }
  const said = detail ?? error?.message ?? body
  return typeof said === 'string' ? said : JSON.stringify(said)
}

function toWebRequest({ headers, url }: FastifyRequest): Request {
  const given = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    // the body is read already
    if (value === undefined || name === 'content-length' || name === 'transfer-encoding') continue
    given.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  return new Request(new URL(url, 'http://perdure.invalid'), { method: 'POST', headers: given })
}

function send(reply: FastifyReply, response: Response): FastifyReply {
  reply.code(response.status)
  for (const [name, value] of response.headers) reply.header(name, value)
  return reply.send(response.body === null ? '' : Readable.fromWeb(response.body as ReadableStream))
}
