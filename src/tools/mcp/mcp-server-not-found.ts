import { type DomainError, notFound } from '#platform/errors.ts'

export const mcpServerNotFound = (id: string): DomainError =>
  notFound(`MCP server not found: there is none with the id ${id}.`)
