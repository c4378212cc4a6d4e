import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as reader from '#store/tools/tool-reader.ts'
import { restoreBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { toToolFilter } from './to-tool-filter.ts'
import { toolFilterParameters } from './tool-schema.ts'

export function countTools(app: App, context: Context): void {
  app.get(
    '/v1/tools/count',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'count_tools',
        tags: ['tools'],
        summary: 'Count tools',
        querystring: Type.Object({
          ...toolFilterParameters,
          exclude_letta_tools: Type.Boolean({ default: false, description: 'No tools that come with the server' }),
        }),
        response: { 200: Type.Integer() },
      },
    },
    async ({ actor, query }) => {
      const filter = toToolFilter(query)
      await restoreBuiltinTools(context.db, actor.organizationId)
      return reader.countTools(context.db, actor.organizationId, filter)
    },
  )
}
