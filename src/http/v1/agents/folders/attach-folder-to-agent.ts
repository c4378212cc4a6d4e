import Type from 'typebox'
import { attachFolder } from '#agent/agent-folders.ts'
import { refreshAgentPrompt } from '#agent/refresh-agent-prompt.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId, AgentSchema } from '#http/v1/agents/agent-schema.ts'
import { readAgent } from '#http/v1/agents/read-agent.ts'
import { parameter } from '#http/v1/folders/folder-routes.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { NullBody, sendNull } from '#http/wire/send-null.ts'
import type { AgentFolderRoutes } from './agent-folder-routes.ts'

export function attachFolderToAgent(app: App, context: Context, { base, key, isLegacy }: AgentFolderRoutes): void {
  app.patch(
    `${base}/attach/:${key}`,
    {
      config: { permission: 'agents:write' },
      schema: {
        operationId: isLegacy ? 'attach_source_to_agent' : 'attach_folder_to_agent',
        tags: ['agents'],
        summary: 'Attach a folder to an agent, with its files and the tools to read them',
        params: Type.Unsafe<Record<string, string>>(Type.Object({ ...AgentId.properties, [key]: IdSchema('source') })),
        response: { 200: isLegacy ? AgentSchema : NullBody },
      },
    },
    async ({ actor, params }, reply) => {
      const { db, models, config } = context
      const agentId = parameter(params, 'agent_id')
      const deps = { db, models, maxContextWindow: config.globalMaxContextWindow }
      await attachFolder(deps, actor, agentId, parameter(params, key))
      await refreshAgentPrompt(db, models, actor.organizationId, agentId)
      return isLegacy ? readAgent(context, actor.organizationId, agentId) : sendNull(reply)
    },
  )
}
