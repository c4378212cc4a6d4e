import Type from 'typebox'
import * as domain from '#agent/templates/migrate-deployment.ts'
import { parseVersion } from '#agent/templates/template-name.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { ProjectNameParams, SuccessSchema, templateOf } from './template-schema.ts'

const Params = Type.Object({ ...ProjectNameParams.properties, deployment_id: IdSchema('deployment') })

const Body = Type.Object({
  version: Type.String({ description: "A number, 'latest' or 'current'" }),
  preserve_tool_variables: Type.Optional(Type.Boolean()),
  preserve_core_memories: Type.Optional(Type.Boolean()),
  preserve_sources: Type.Optional(Type.Boolean()),
  memory_variables: Type.Optional(Type.Record(Type.String(), Type.String())),
})

export function migrateDeployment(app: App, context: Context): void {
  app.post(
    '/v1/templates/:project_id/:template_name/deployments/:deployment_id/migrate',
    {
      config: { permission: 'templates:write' },
      schema: {
        operationId: 'migrate_deployment',
        tags: ['templates'],
        summary: 'Bring the agents of a deployment to a version of their template',
        params: Params,
        body: Body,
        response: { 200: SuccessSchema },
      },
    },
    async (request) => {
      const { actor, body, params } = request
      const { template } = await templateOf(context, request)
      const found = { template, version: parseVersion(body.version) }
      const count = await domain.migrateDeployment(context.db, actor, found, params.deployment_id, {
        keepsMemory: body.preserve_core_memories ?? false,
        deletesBlocks: false,
        variables: body.memory_variables ?? {},
      })
      return { success: true, message: `${count} agents were migrated.` }
    },
  )
}
