import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listToolsByNameOrId } from '#store/agents/agent-tool-reader.ts'
import { isCustomTool } from '#tools/custom-tools.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { BUILTIN_TOOLS } from '#tools/registry.ts'
import { presentTool } from './present-tool.ts'
import { ToolSchema } from './tool-schema.ts'

export function addBaseTools(app: App, context: Context): void {
  app.post(
    '/v1/tools/add-base-tools',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'add_base_tools',
        tags: ['tools'],
        summary: 'Put the built-in tools back, and up to date; gives all of them',
        response: { 200: Type.Array(ToolSchema) },
      },
    },
    async ({ actor }) => {
      const { organizationId } = actor
      await ensureBuiltinTools(context.db, organizationId)
      const names = BUILTIN_TOOLS.map((tool) => tool.name)
      const rows = await listToolsByNameOrId(context.db, organizationId, names, [])
      return rows.filter((row) => !isCustomTool(row.tool_type)).map(presentTool)
    },
  )
}
