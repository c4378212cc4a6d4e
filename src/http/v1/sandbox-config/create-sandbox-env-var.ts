import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { createSandboxVariable } from '#tools/sandbox/sandbox-variables.ts'
import { presentSandboxVariable } from './present-sandbox-config.ts'
import { SandboxConfigId, SandboxVariableSchema } from './sandbox-config-schema.ts'

export function createSandboxEnvVar(app: App, context: Context): void {
  app.post(
    '/v1/sandbox-config/:sandbox_config_id/environment-variable',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'create_sandbox_env_var',
        tags: ['sandbox-config'],
        summary: 'Store an environment variable; its value is encrypted',
        params: SandboxConfigId,
        body: Type.Object({
          key: Type.String({ maxLength: 255 }),
          value: Type.String(),
          description: Type.Optional(Nullable(Type.String())),
        }),
        response: { 200: SandboxVariableSchema },
      },
    },
    async ({ actor, params, body }) => {
      const { db, secrets } = context
      return presentSandboxVariable(await createSandboxVariable(db, secrets, actor, params.sandbox_config_id, body))
    },
  )
}
