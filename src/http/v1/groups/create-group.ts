import * as domain from '#agent/groups/create-group.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ProjectHeaders } from '#http/plugins/project.ts'
import { CreateGroupSchema, GroupSchema } from './group-schema.ts'
import { presentGroup } from './present-group.ts'

export function createGroup(app: App, context: Context): void {
  app.post(
    '/v1/groups',
    {
      config: { permission: 'groups:write' },
      schema: {
        operationId: 'create_group',
        tags: ['groups'],
        summary: 'Create a group of agents; blocks that it shares are attached to all of them',
        headers: ProjectHeaders,
        body: CreateGroupSchema,
        response: { 200: GroupSchema },
      },
    },
    async ({ actor, body }) => presentGroup(await domain.createGroup(context.db, actor, body)),
  )
}
