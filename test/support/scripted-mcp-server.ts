import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import {
  type CallToolResult,
  createMcpHandler,
  Server,
  type Tool,
  WebStandardStreamableHTTPServerTransport,
} from '@modelcontextprotocol/server'

/** What a handler of a call gets besides its arguments. */
export interface CallContext {
  /** Aborted when the client cancels. */
  signal: AbortSignal
  headers: Headers
}

export interface McpScript {
  tools: Tool[]
  /** Tools on a page; all on one unless told. */
  pageSize?: number
  /** Instead of the pages of `tools`. */
  list?: (
    cursor: string | undefined,
  ) => { tools: Tool[]; nextCursor?: string } | Promise<{ tools: Tool[]; nextCursor?: string }>
  call?: (name: string, args: Record<string, unknown>, context: CallContext) => CallToolResult | Promise<CallToolResult>
  /** Sees each HTTP request first; true when it has answered it. */
  intercept?: (request: IncomingMessage, response: ServerResponse, body: string) => boolean | Promise<boolean>
  /** `legacy` has sessions; `modern` speaks the newest protocol alone. */
  era?: 'legacy' | 'modern'
}

export interface SeenRequest {
  httpMethod: string
  headers: Record<string, string | string[] | undefined>
  /** The JSON-RPC method, where there is one. */
  method: string | undefined
  body: string
}

export const objectTool = (name: string, properties: Record<string, object> = {}): Tool => ({
  name,
  description: `does ${name}`,
  inputSchema: { type: 'object', properties } as Tool['inputSchema'],
})

/** A real MCP server over streamable HTTP on this machine, made with the official library, whose script can be changed while it runs. */
export async function startScriptedMcpServer(script: McpScript) {
  const seen: SeenRequest[] = []
  const sessions = new Map<string, WebStandardStreamableHTTPServerTransport>()
  let connections = 0

  const makeServer = () => {
    const server = new Server({ name: 'scripted', version: '1' }, { capabilities: { tools: {} } })
    server.setRequestHandler('tools/list', async ({ params }) => {
      const cursor = params?.cursor
      if (script.list !== undefined) return script.list(cursor)
      const size = script.pageSize ?? Number.POSITIVE_INFINITY
      const from = cursor === undefined ? 0 : Number(cursor)
      const next = from + size
      const tools = script.tools.slice(from, next)
      return next < script.tools.length ? { tools, nextCursor: String(next) } : { tools }
    })
    server.setRequestHandler('tools/call', async ({ params }, context) => {
      const headers = context.http?.req?.headers ?? new Headers()
      const { call = () => ({ content: [{ type: 'text', text: `${params.name} was called` }] }) } = script
      return call(params.name, params.arguments ?? {}, { signal: context.mcpReq.signal, headers })
    })
    return server
  }
  const modern = createMcpHandler(makeServer, { legacy: 'reject' })

  async function answerOld(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id')
    const known = id === null ? undefined : sessions.get(id)
    if (known !== undefined) return known.handleRequest(request)
    if (id !== null)
      return Response.json(
        { jsonrpc: '2.0', error: { code: -32001, message: 'Session not found' }, id: null },
        { status: 404 },
      )
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      onsessioninitialized: (sessionId) => void sessions.set(sessionId, transport),
    })
    await makeServer().connect(transport)
    return transport.handleRequest(request)
  }

  const http = createServer(async (request, response) => {
    const body = await text(request)
    seen.push({ httpMethod: request.method ?? '', headers: request.headers, method: methodOf(body), body })
    try {
      if (await script.intercept?.(request, response, body)) return
      const gone = new AbortController()
      response.once('close', () => gone.abort())
      const asked = new Request(`http://localhost${request.url}`, {
        method: request.method ?? 'GET',
        headers: Object.entries(request.headers).flatMap(([name, value]) =>
          value === undefined ? [] : [[name, String(value)]],
        ) as [string, string][],
        ...(body !== '' && { body }),
        signal: gone.signal,
      })
      const answer = script.era === 'modern' ? await modern.fetch(asked) : await answerOld(asked)
      response.writeHead(answer.status, Object.fromEntries(answer.headers))
      response.flushHeaders()
      if (answer.body === null) response.end()
      else
        Readable.fromWeb(answer.body as never)
          .on('error', () => response.destroy())
          .pipe(response)
    } catch {
      response.destroy()
    }
  })
  http.on('connection', () => {
    connections += 1
  })
  const listen = (port: number) => new Promise<void>((resolve) => http.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = http.address() as AddressInfo
  const close = async () => {
    http.closeAllConnections()
    await new Promise((resolve) => http.close(resolve))
  }
  return {
    url: `http://127.0.0.1:${port}/mcp`,
    port,
    script,
    /** Every HTTP request so far. */
    seen,
    sessions,
    connections: () => connections,
    /** How often a JSON-RPC method was asked. */
    count: (method: string) => seen.filter((request) => request.method === method).length,
    /** Stops listening and cuts what is open; `open` goes on at the same port, without the sessions of before. */
    close,
    async open() {
      sessions.clear()
      await listen(port)
    },
    async [Symbol.asyncDispose]() {
      if (http.listening) await close()
    },
  }
}
export type ScriptedMcpServer = Awaited<ReturnType<typeof startScriptedMcpServer>>

function methodOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as { method?: string }).method
  } catch {
    return undefined
  }
}
