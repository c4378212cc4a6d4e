import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getPassage } from '#memory/modify-passage.ts'
import { PassageId, PassageSchema } from './passage-schema.ts'
import { presentPassage } from './present-passage.ts'

export function retrievePassage(app: App, context: Context): void {
  app.get(
    '/v1/passages/:passage_id',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'retrieve_passage',
        tags: ['passages'],
        summary: 'Retrieve a passage',
        params: PassageId,
        response: { 200: PassageSchema },
      },
    },
    async ({ actor, params }) => presentPassage(await getPassage(context.db, actor.organizationId, params.passage_id)),
  )
}
