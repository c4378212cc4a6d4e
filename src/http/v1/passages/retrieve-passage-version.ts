import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getPassageVersion } from '#memory/passage-versions.ts'
import { PassageVersionId, PassageVersionSchema } from './passage-version-schema.ts'
import { presentPassageVersion } from './present-passage-version.ts'

export function retrievePassageVersion(app: App, context: Context): void {
  app.get(
    '/v1/passages/:passage_id/versions/:version',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'retrieve_passage_version',
        tags: ['passages'],
        summary: 'Retrieve a version of a passage with its text',
        params: PassageVersionId,
        response: { 200: Type.Object({ ...PassageVersionSchema.properties, text: Type.String() }) },
      },
    },
    async ({ actor, params }) => {
      const row = await getPassageVersion(context.db, actor.organizationId, params.passage_id, params.version)
      return { ...presentPassageVersion(row), text: row.text }
    },
  )
}
