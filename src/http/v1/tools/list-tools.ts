import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/tools/tool-reader.ts'
import { restoreBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { presentTool } from './present-tool.ts'
import { toToolFilter } from './to-tool-filter.ts'
import { ToolSchema, toolFilterParameters } from './tool-schema.ts'

export function listTools(app: App, context: Context): void {
  app.get(
    '/v1/tools',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'list_tools',
        tags: ['tools'],
        summary: 'List tools; built-in ones that are missing are put back',
        querystring: Type.Object({ ...pagingParameters(), ...toolFilterParameters }),
        response: { 200: Type.Array(ToolSchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = toToolFilter(query)
      await restoreBuiltinTools(context.db, actor.organizationId)
      const rows = await reader.listTools(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentTool)
    },
  )
}
