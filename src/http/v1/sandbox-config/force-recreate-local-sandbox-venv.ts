import type { App } from '#http/app.ts'
import { invalidArgument } from '#platform/errors.ts'

export function forceRecreateLocalSandboxVenv(app: App): void {
  app.post(
    '/v1/sandbox-config/local/recreate-venv',
    {
      config: { permission: 'tools:write' },
      schema: {
        operationId: 'force_recreate_local_sandbox_venv',
        tags: ['sandbox-config'],
        summary: 'Make a virtual environment anew; this server has none',
      },
    },
    async () => {
      throw invalidArgument(
        'INVALID_ARGUMENT: This server runs no code of tools in virtual environments, so there is none to make anew.',
      )
    },
  )
}
