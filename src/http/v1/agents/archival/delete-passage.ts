import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { removePassage } from '#memory/remove-passage.ts'

export function deletePassage(app: App, context: Context): void {
  app.delete(
    '/v1/agents/:agent_id/archival-memory/:memory_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'delete_passage',
        tags: ['agents'],
        summary: "Delete a passage from an agent's archival memory",
        params: Type.Object({ agent_id: IdSchema('agent'), memory_id: IdSchema('passage') }),
        response: { 200: Type.Object({ message: Type.String() }) },
      },
    },
    async ({ actor, params }) => {
      await removePassage(context.db, actor.organizationId, params.agent_id, params.memory_id)
      return { message: `Memory id=${params.memory_id} successfully deleted` }
    },
  )
}
