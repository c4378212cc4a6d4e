import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { modifySandboxVariable } from '#tools/sandbox/sandbox-variables.ts'
import { presentSandboxVariable } from './present-sandbox-config.ts'
import { SandboxVariableId, SandboxVariableSchema } from './sandbox-config-schema.ts'

export function updateSandboxEnvVar(app: App, context: Context): void {
  app.patch(
    '/v1/sandbox-config/environment-variable/:env_var_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'update_sandbox_env_var',
        tags: ['sandbox-config'],
        summary: 'Change an environment variable',
        params: SandboxVariableId,
        body: Type.Object({
          key: Type.Optional(Nullable(Type.String({ maxLength: 255 }))),
          value: Type.Optional(Nullable(Type.String())),
          description: Type.Optional(Nullable(Type.String())),
        }),
        response: { 200: SandboxVariableSchema },
      },
    },
    async ({ actor, params, body }) => {
      const { db, secrets } = context
      return presentSandboxVariable(await modifySandboxVariable(db, secrets, actor, params.env_var_id, body))
    },
  )
}
