import Type from 'typebox'
import { saveTemplate } from '#agent/templates/change-template.ts'
import { migrateAllDeployments } from '#agent/templates/migrate-deployment.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { NameParams, ProjectNameParams, presentTemplate, TemplateSchema, templateOf } from './template-schema.ts'

const PLACES = [
  { url: '/v1/templates/:template_name/save', operationId: 'save_template_version', params: NameParams },
  {
    url: '/v1/templates/:project_id/:template_name',
    operationId: 'save_template_version_in_project',
    params: ProjectNameParams,
  },
] as const

const Body = Type.Optional(
  Nullable(
    Type.Object({
      message: Type.Optional(Type.String({ maxLength: 10_000 })),
      migrate_agents: Type.Optional(Type.Boolean()),
      preserve_core_memories_on_migration: Type.Optional(Type.Boolean()),
      preserve_environment_variables_on_migration: Type.Optional(Type.Boolean()),
      preserve_sources_on_migration: Type.Optional(Type.Boolean()),
      block_reconciliation_strategy: Type.Optional(StringEnum(['reconcile-all', 'preserve-deleted'])),
    }),
  ),
)

export function saveTemplateVersion(app: App, context: Context): void {
  for (const { url, operationId, params } of PLACES) {
    app.post(
      url,
      {
        config: { permission: 'templates:write' },
        schema: {
          operationId,
          tags: ['templates'],
          summary: 'Save the version under work as the next one, and bring agents to it if asked',
          params,
          body: Body,
          response: { 200: TemplateSchema },
        },
      },
      async (request) => {
        const { body, actor } = request
        const { template } = await templateOf(context, request)
        const version = await saveTemplate(context.db, actor, template, body?.message ?? null)
        if (body?.migrate_agents) {
          await migrateAllDeployments(
            context.db,
            actor,
            { template, version },
            {
              keepsMemory: body.preserve_core_memories_on_migration ?? false,
              deletesBlocks: body.block_reconciliation_strategy === 'reconcile-all',
              variables: {},
            },
          )
        }
        return presentTemplate((await templateOf(context, request)).template)
      },
    )
  }
}
