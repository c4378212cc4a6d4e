import Type from 'typebox'
import { refreshAgentPrompt } from '#agent/refresh-agent-prompt.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { openFile } from '#memory/files/open-files.ts'
import { AgentFileId } from './agent-file-id.ts'

export function openFileForAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/files/:file_id/open',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'open_file_for_agent',
        tags: ['agents'],
        summary: 'Show a file to an agent; the answer names the files that had to be closed for it',
        params: AgentFileId,
        response: { 200: Type.Array(Type.String()) },
      },
    },
    async ({ actor, params }) => {
      const closed = await openFile(context.db, actor.organizationId, params.agent_id, params.file_id)
      await refreshAgentPrompt(context.db, context.models, actor.organizationId, params.agent_id)
      return closed
    },
  )
}
