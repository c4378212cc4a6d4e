import type { FastifyReply } from 'fastify'
import type { McpServerRow } from '#store/mcp-servers/mcp-server-row.ts'

/** Why a server could not be asked for its tools the last time; V1's answer has no room for it. */
const LAST_ERROR_HEADER = 'x-mcp-last-error'
const MAX_LENGTH = 1_000

/** Says in a header what went wrong with a server, where something did. */
export function tellLastError(reply: FastifyReply, { last_error }: McpServerRow): void {
  if (last_error === null) return
  // headers are one line of printable ASCII
  void reply.header(LAST_ERROR_HEADER, last_error.replace(/[^\x20-\x7e]+/g, ' ').slice(0, MAX_LENGTH))
}
