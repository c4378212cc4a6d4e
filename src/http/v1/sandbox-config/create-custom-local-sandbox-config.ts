import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createSandboxConfig } from '#tools/sandbox/sandbox-configs.ts'
import { presentSandboxConfig } from './present-sandbox-config.ts'
import { SandboxConfigSchema, SandboxSettingsSchema } from './sandbox-config-schema.ts'

export function createCustomLocalSandboxConfig(app: App, context: Context): void {
  app.post(
    '/v1/sandbox-config/local',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'create_custom_local_sandbox_config',
        tags: ['sandbox-config'],
        summary: 'Store the local configuration',
        body: SandboxSettingsSchema,
        response: { 200: SandboxConfigSchema },
      },
    },
    async ({ actor, body }) => presentSandboxConfig(await createSandboxConfig(context.db, actor, body, 'local')),
  )
}
