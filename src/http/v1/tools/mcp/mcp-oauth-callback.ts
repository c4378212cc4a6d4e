import Type from 'typebox'
import type { App } from '#http/app.ts'
import { notFound } from '#platform/errors.ts'

export function mcpOauthCallback(app: App): void {
  app.get(
    '/v1/tools/mcp/oauth/callback',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'mcp_oauth_callback',
        tags: ['tools'],
        querystring: Type.Object({
          code: Type.Optional(Type.String()),
          state: Type.Optional(Type.String()),
          error: Type.Optional(Type.String()),
          error_description: Type.Optional(Type.String()),
        }),
        summary: 'Where an authorization of an MCP server returns to; this version begins none',
      },
    },
    async () => {
      throw notFound(
        'No authorization of an MCP server is under way: this version of the server does not connect to MCP servers yet.',
      )
    },
  )
}
