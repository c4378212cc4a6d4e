import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { modifySandboxConfig } from '#tools/sandbox/sandbox-configs.ts'
import { presentSandboxConfig } from './present-sandbox-config.ts'
import { SandboxConfigId, SandboxConfigSchema, SandboxSettingsSchema } from './sandbox-config-schema.ts'

export function updateSandboxConfig(app: App, context: Context): void {
  app.patch(
    '/v1/sandbox-config/:sandbox_config_id',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'update_sandbox_config',
        tags: ['sandbox-config'],
        summary: 'Replace the settings of a sandbox configuration; its type stays',
        params: SandboxConfigId,
        body: Type.Object({ config: Type.Optional(Nullable(SandboxSettingsSchema)) }),
        response: { 200: SandboxConfigSchema },
      },
    },
    async ({ actor, params, body }) =>
      presentSandboxConfig(await modifySandboxConfig(context.db, actor, params.sandbox_config_id, body.config)),
  )
}
