import Type from 'typebox'
import { refreshAgentPrompt } from '#agent/refresh-agent-prompt.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { closeFile } from '#memory/files/open-files.ts'
import { AgentFileId } from './agent-file-id.ts'

export function closeFileForAgent(app: App, context: Context): void {
  app.patch(
    '/v1/agents/:agent_id/files/:file_id/close',
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: 'close_file_for_agent',
        tags: ['agents'],
        summary: 'Stop showing a file to an agent',
        params: AgentFileId,
        response: { 200: Type.Object({ message: Type.String() }) },
      },
    },
    async ({ actor, params }) => {
      await closeFile(context.db, actor.organizationId, params.agent_id, params.file_id)
      await refreshAgentPrompt(context.db, context.models, actor.organizationId, params.agent_id)
      return { message: `File id=${params.file_id} successfully closed` }
    },
  )
}
