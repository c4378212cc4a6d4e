import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getDefaultSandboxConfig } from '#tools/sandbox/sandbox-configs.ts'
import { presentSandboxConfig } from './present-sandbox-config.ts'
import { SandboxConfigSchema } from './sandbox-config-schema.ts'

export function createDefaultE2BSandboxConfig(app: App, context: Context): void {
  app.post(
    '/v1/sandbox-config/e2b/default',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'create_default_e2b_sandbox_config',
        tags: ['sandbox-config'],
        summary: 'Give the e2b configuration, made with its defaults where there is none',
        response: { 200: SandboxConfigSchema },
      },
    },
    async ({ actor }) => presentSandboxConfig(await getDefaultSandboxConfig(context.db, actor, 'e2b')),
  )
}
