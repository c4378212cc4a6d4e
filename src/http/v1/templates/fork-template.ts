import Type from 'typebox'
import { createTemplate } from '#agent/templates/create-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import {
  ProjectVersionParams,
  presentTemplate,
  TemplateSchema,
  templateAuthorOf,
  templateOf,
} from './template-schema.ts'

export function forkTemplate(app: App, context: Context): void {
  app.post(
    '/v1/templates/:project_id/:template_version/fork',
    {
      config: { permission: 'templates:write' },
      schema: {
        operationId: 'fork_template',
        tags: ['templates'],
        summary: 'Make another template of a version of this one',
        params: ProjectVersionParams,
        body: Type.Optional(Nullable(Type.Object({ name: Type.Optional(Type.String()) }))),
        response: { 200: TemplateSchema },
      },
    },
    async (request) => {
      const found = await templateOf(context, request)
      const source = { type: 'template', found } as const
      const author = templateAuthorOf(request)
      return presentTemplate(await createTemplate(context.db, author, source, request.body?.name))
    },
  )
}
