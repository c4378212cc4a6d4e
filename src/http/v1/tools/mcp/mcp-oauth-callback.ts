import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { escapeHtml } from '#http/root/escape-html.ts'
import { AuthorizationFailed } from '#tools/mcp/mcp-authorizer.ts'

interface Outcome {
  status: 'success' | 'error'
  message: string
  server_url: string | null
  /** The message again, where errors have it. */
  detail?: string
}

const CallbackQuery = Type.Object(
  {
    code: Type.Optional(Type.String()),
    state: Type.Optional(Type.String()),
    iss: Type.Optional(Type.String()),
    error: Type.Optional(Type.String()),
    error_description: Type.Optional(Type.String()),
  },
  { additionalProperties: true },
)

/** A browser comes here, without a key: who it speaks for is told by the state alone, which is good once. */
export function mcpOauthCallback(app: App, context: Context): void {
  app.get(
    '/v1/tools/mcp/oauth/callback',
    {
      config: { permission: 'public' },
      schema: {
        operationId: 'mcp_oauth_callback',
        tags: ['tools'],
        querystring: CallbackQuery,
        summary: 'Where an authorization of an MCP server returns to',
      },
    },
    async ({ query, headers, log }, reply) => {
      const parameters = new URLSearchParams(query as Record<string, string>)
      const outcome = await finish(context, parameters)
      if (outcome.status === 'error') log.warn('an authorization of an MCP server failed')
      void reply
        .code(outcome.status === 'success' ? 200 : 400)
        .header('cache-control', 'no-store')
        .header('referrer-policy', 'no-referrer')
      if (!/\btext\/html\b/.test(headers.accept ?? '')) return outcome
      void reply
        .type('text/html; charset=utf-8')
        .header('content-security-policy', "default-src 'none'; frame-ancestors 'none'")
      return reply.send(pageOf(outcome))
    },
  )
}

async function finish({ mcp }: Context, parameters: URLSearchParams): Promise<Outcome> {
  try {
    const { serverUrl } = await mcp.authorizer.finish(parameters)
    return { status: 'success', message: 'Authorization successful', server_url: serverUrl }
  } catch (error) {
    if (!(error instanceof AuthorizationFailed)) throw error
    return { status: 'error', message: error.message, server_url: null, detail: error.message }
  }
}

const pageOf = ({ status, message }: Outcome): string => `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Perdure</title></head>
<body>
<h1>${status === 'success' ? 'Allowed' : 'Not allowed'}</h1>
<p>${escapeHtml(status === 'success' ? 'This server may use the MCP server now. You can close this window.' : message)}</p>
</body>
</html>
`
