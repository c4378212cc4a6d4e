import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as store from '#store/sandbox-configs/sandbox-config-store.ts'
import { presentSandboxConfig } from './present-sandbox-config.ts'
import { SANDBOX_TYPES, SandboxConfigSchema } from './sandbox-config-schema.ts'

export function listSandboxConfigs(app: App, context: Context): void {
  app.get(
    '/v1/sandbox-config',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'list_sandbox_configs',
        tags: ['sandbox-config'],
        summary: 'List sandbox configurations',
        querystring: Type.Object({
          ...pagingParameters({ limit: 1000, order: 'asc' }),
          sandbox_type: Type.Optional(StringEnum(SANDBOX_TYPES)),
        }),
        response: { 200: Type.Array(SandboxConfigSchema) },
      },
    },
    async ({ actor, query }) => {
      const page = toPageRequest(query)
      const rows = await store.listSandboxConfigs(context.db, actor.organizationId, query.sandbox_type, page)
      return rows.map(presentSandboxConfig)
    },
  )
}
