import { DomainError } from '#platform/errors.ts'

/** What everything is answered with that needs a connection to an MCP server, in V1's shape for a server that does not answer. */
export function mcpServerUnavailable(serverName: string): DomainError {
  const message = `The MCP server '${serverName}' was not asked: this version of the server stores MCP servers but does not connect to them yet.`
  return new DomainError('not_found', message, {
    detail: { code: 'MCPServerUnavailable', message, error: 'not connected' },
    canRetry: false,
  })
}
