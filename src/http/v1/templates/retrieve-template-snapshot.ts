import { getTemplateSnapshot } from '#agent/templates/get-template.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listToolsByNameOrId } from '#store/agents/agent-tool-reader.ts'
import { presentSnapshot, SnapshotSchema } from './present-snapshot.ts'
import { ProjectVersionParams, templateOf } from './template-schema.ts'

export function retrieveTemplateSnapshot(app: App, context: Context): void {
  app.get(
    '/v1/templates/:project_id/:template_version/snapshot',
    {
      config: { permission: 'templates:read' },
      schema: {
        operationId: 'retrieve_template_snapshot',
        tags: ['templates'],
        summary: 'Retrieve what a version of a template has',
        params: ProjectVersionParams,
        response: { 200: SnapshotSchema },
      },
    },
    async (request) => {
      const { organizationId } = request.actor
      const found = await getTemplateSnapshot(context.db, organizationId, await templateOf(context, request))
      const tools = await listToolsByNameOrId(context.db, organizationId, found.snapshot.agent.tools, [])
      return presentSnapshot(found.snapshot, String(found.version), tools)
    },
  )
}
