import Type from 'typebox'
import { removeProject } from '#agent/projects/create-project.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'

export function deleteProject(app: App, context: Context): void {
  app.delete(
    '/v1/projects/:project_id',
    {
      config: { permission: 'projects:write' },
      schema: {
        operationId: 'delete_project',
        tags: ['projects'],
        summary: 'Delete a project with its templates; agents and blocks of it stay',
        params: Type.Object({ project_id: IdSchema('project') }),
        response: { 200: Type.Object({ success: Type.Boolean() }) },
      },
    },
    async ({ actor, params }) => {
      await removeProject(context.db, actor.organizationId, params.project_id)
      return { success: true }
    },
  )
}
