import Type from 'typebox'
import { refreshAgentPrompt } from '#agent/refresh-agent-prompt.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId } from '#http/v1/agents/agent-schema.ts'
import { closeAllFiles } from '#memory/files/open-files.ts'

export function closeAllFilesForAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/files/close-all',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'close_all_files_for_agent',
        tags: ['agents'],
        summary: 'Stop showing any file to an agent; the answer names those that were open',
        params: AgentId,
        response: { 200: Type.Array(Type.String()) },
      },
    },
    async ({ actor, params }) => {
      const closed = await closeAllFiles(context.db, actor.organizationId, params.agent_id)
      await refreshAgentPrompt(context.db, context.models, actor.organizationId, params.agent_id)
      return closed
    },
  )
}
