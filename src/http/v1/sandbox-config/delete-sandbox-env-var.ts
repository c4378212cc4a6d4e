import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { removeSandboxVariable } from '#tools/sandbox/sandbox-variables.ts'
import { SandboxVariableId } from './sandbox-config-schema.ts'

export function deleteSandboxEnvVar(app: App, context: Context): void {
  app.delete(
    '/v1/sandbox-config/environment-variable/:env_var_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'delete_sandbox_env_var',
        tags: ['sandbox-config'],
        summary: 'Delete an environment variable',
        params: SandboxVariableId,
        response: { 204: Type.Null() },
      },
    },
    async ({ actor, params }, reply) => {
      await removeSandboxVariable(context.db, actor.organizationId, params.env_var_id)
      return reply.code(204).send(null)
    },
  )
}
