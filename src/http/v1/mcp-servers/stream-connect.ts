import { addAbortListener } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '#context.ts'
import { openEventStream } from '#http/wire/open-event-stream.ts'
import { errorMessage } from '#platform/errors.ts'
import { connectMcpServer, type McpConnectEvent } from '#tools/mcp/connect-mcp-server.ts'
import type { ConnectableServer } from '#tools/mcp/mcp-target.ts'
import { mcpAskerOf } from './mcp-options.ts'
import { oauthRedirectUrl } from './oauth-redirect-url.ts'
import { presentRemoteTool } from './present-remote-tool.ts'

/** Connects to a server and tells what happens as server-sent events, in V1's form. */
export async function streamConnect(
  context: Context,
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
  server: ConnectableServer,
  isStored: boolean,
): Promise<FastifyReply> {
  const { organizationId, userId } = request.actor
  const redirectUrl = oauthRedirectUrl(context, request)
  const ending = new AbortController()
  const ignored = { runId: server.id, pause: () => {}, resume: () => {} }
  const stream = openEventStream({ request, reply }, ignored, 'text/event-stream')
  const ping = setInterval(() => stream.ping(), context.config.keepaliveIntervalMs)
  reply.raw.once('close', () => ending.abort())
  using _ = addAbortListener(context.shutdown.lastCall, () => ending.abort())
  const connecting = { organizationId, userId, redirectUrl, isStored, signal: ending.signal }
  try {
    for await (const event of connectMcpServer(mcpAskerOf(context), server, connecting)) stream.send(present(event))
  } catch (error) {
    request.log.error({ error: errorMessage(error) }, 'connecting to an MCP server failed')
    stream.send({ event: 'error', message: 'Connecting failed in this server; its log says why.' })
  } finally {
    clearInterval(ping)
    stream.close()
  }
  return reply
}

const present = (event: McpConnectEvent): object =>
  event.event === 'success' ? { ...event, tools: event.tools.map(presentRemoteTool) } : event
