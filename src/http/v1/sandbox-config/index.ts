import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createCustomLocalSandboxConfig } from './create-custom-local-sandbox-config.ts'
import { createDefaultE2BSandboxConfig } from './create-default-e2b-sandbox-config.ts'
import { createDefaultLocalSandboxConfig } from './create-default-local-sandbox-config.ts'
import { createSandboxConfig } from './create-sandbox-config.ts'
import { createSandboxEnvVar } from './create-sandbox-env-var.ts'
import { deleteSandboxConfig } from './delete-sandbox-config.ts'
import { deleteSandboxEnvVar } from './delete-sandbox-env-var.ts'
import { forceRecreateLocalSandboxVenv } from './force-recreate-local-sandbox-venv.ts'
import { listSandboxConfigs } from './list-sandbox-configs.ts'
import { listSandboxEnvVars } from './list-sandbox-env-vars.ts'
import { updateSandboxConfig } from './update-sandbox-config.ts'
import { updateSandboxEnvVar } from './update-sandbox-env-var.ts'

export function registerSandboxConfigs(app: App, context: Context): void {
  // tools:read
  listSandboxConfigs(app, context)
  listSandboxEnvVars(app, context)

  // tools:write
  createSandboxConfig(app, context)
  createDefaultE2BSandboxConfig(app, context)
  createDefaultLocalSandboxConfig(app, context)
  createCustomLocalSandboxConfig(app, context)
  forceRecreateLocalSandboxVenv(app)
  updateSandboxConfig(app, context)
  deleteSandboxConfig(app, context)
  createSandboxEnvVar(app, context)
  updateSandboxEnvVar(app, context)
  deleteSandboxEnvVar(app, context)
}
