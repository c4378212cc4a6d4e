import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listSandboxVariables } from '#store/sandbox-configs/sandbox-variable-store.ts'
import { getSandboxConfig } from '#tools/sandbox/sandbox-configs.ts'
import { presentSandboxVariable } from './present-sandbox-config.ts'
import { SandboxConfigId, SandboxVariableSchema } from './sandbox-config-schema.ts'

export function listSandboxEnvVars(app: App, context: Context): void {
  app.get(
    '/v1/sandbox-config/:sandbox_config_id/environment-variable',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'list_sandbox_env_vars',
        tags: ['sandbox-config'],
        summary: 'List the environment variables of a sandbox configuration; values are masked',
        params: SandboxConfigId,
        querystring: Type.Object(pagingParameters({ limit: 1000, order: 'asc' })),
        response: { 200: Type.Array(SandboxVariableSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const { id } = await getSandboxConfig(context.db, actor.organizationId, params.sandbox_config_id)
      const rows = await listSandboxVariables(context.db, actor.organizationId, id, toPageRequest(query))
      return rows.map(presentSandboxVariable)
    },
  )
}
