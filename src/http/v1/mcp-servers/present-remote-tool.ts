import Type from 'typebox'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import type { RemoteTool } from '#tools/mcp/mcp-connection.ts'
import { normalizeToolSchema } from '#tools/mcp/normalize-tool-schema.ts'

/** A tool as its MCP server tells it, with how well its schema can be told to models. */
export const McpToolSchema = Type.Object({
  name: Type.String(),
  title: Nullable(Type.String()),
  description: Nullable(Type.String()),
  inputSchema: AnyObject,
  outputSchema: Nullable(AnyObject),
  annotations: Nullable(AnyObject),
  _meta: Nullable(AnyObject),
  health: Nullable(Type.Object({ status: Type.String(), reasons: Type.Array(Type.String()) })),
})

export function presentRemoteTool(tool: RemoteTool) {
  const { parameters, health } = normalizeToolSchema(tool.inputSchema)
  return {
    name: tool.name,
    title: tool.title ?? null,
    description: tool.description ?? null,
    inputSchema: parameters,
    outputSchema: (tool.outputSchema as Record<string, unknown> | undefined) ?? null,
    annotations: (tool.annotations as Record<string, unknown> | undefined) ?? null,
    _meta: (tool._meta as Record<string, unknown> | undefined) ?? null,
    health,
  }
}

/** What became of the tools of a server. V1's three lists, and the tools that cannot be told to models. */
export const McpSyncSchema = Type.Object({
  deleted: Type.Array(Type.String()),
  updated: Type.Array(Type.String()),
  added: Type.Array(Type.String()),
  skipped: Type.Array(Type.Object({ name: Type.String(), reasons: Type.Array(Type.String()) })),
})
