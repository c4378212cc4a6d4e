import Type from 'typebox'
import * as domain from '#agent/projects/create-project.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ProjectSchema, presentProject } from './project-schema.ts'

export function createProject(app: App, context: Context): void {
  app.post(
    '/v1/projects',
    {
      config: { permission: 'projects:write' },
      schema: {
        operationId: 'create_project',
        tags: ['projects'],
        summary: 'Create a project',
        body: Type.Object({ name: Type.String({ minLength: 3, maxLength: 50 }) }),
        response: { 201: ProjectSchema },
      },
    },
    async ({ actor, body }, reply) => {
      const project = await domain.createProject(context.db, actor.organizationId, body.name)
      return reply.code(201).send(presentProject(project))
    },
  )
}
