import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import * as sandbox from '#tools/sandbox/sandbox-configs.ts'
import { presentSandboxConfig } from './present-sandbox-config.ts'
import { SandboxConfigSchema, SandboxSettingsSchema } from './sandbox-config-schema.ts'

export function createSandboxConfig(app: App, context: Context): void {
  app.post(
    '/v1/sandbox-config',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'create_sandbox_config',
        tags: ['sandbox-config'],
        summary: 'Store a sandbox configuration; its type goes by its fields',
        body: Type.Object({ config: SandboxSettingsSchema }),
        response: { 200: SandboxConfigSchema },
      },
    },
    async ({ actor, body }) => presentSandboxConfig(await sandbox.createSandboxConfig(context.db, actor, body.config)),
  )
}
