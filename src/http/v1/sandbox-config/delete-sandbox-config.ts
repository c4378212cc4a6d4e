import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { removeSandboxConfig } from '#tools/sandbox/sandbox-configs.ts'
import { SandboxConfigId } from './sandbox-config-schema.ts'

export function deleteSandboxConfig(app: App, context: Context): void {
  app.delete(
    '/v1/sandbox-config/:sandbox_config_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'delete_sandbox_config',
        tags: ['sandbox-config'],
        summary: 'Delete a sandbox configuration with its variables',
        params: SandboxConfigId,
        response: { 204: Type.Null() },
      },
    },
    async ({ actor, params }, reply) => {
      await removeSandboxConfig(context.db, actor.organizationId, params.sandbox_config_id)
      return reply.code(204).send(null)
    },
  )
}
