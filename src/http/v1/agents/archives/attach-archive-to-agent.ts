import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId } from '#http/v1/agents/agent-schema.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import { attachArchive } from '#memory/attach-archive.ts'

export function attachArchiveToAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/archives/attach/:archive_id',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'attach_archive_to_agent',
        tags: ['agents'],
        summary: 'Make an archive the archival memory of an agent; it can have one',
        // not an id by its pattern: what is none is not found, as in V1
        params: Type.Object({ ...AgentId.properties, archive_id: Type.String() }),
        response: { 200: NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      await attachArchive(context.db, actor.organizationId, params.agent_id, params.archive_id)
      return sendNull(reply)
    },
  )
}
