import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { toVersionPage, versionPaging } from '#http/wire/versions.ts'
import { getPassage } from '#memory/modify-passage.ts'
import * as reader from '#store/passages/passage-version-reader.ts'
import { PassageId } from './passage-schema.ts'
import { PassageVersionSchema } from './passage-version-schema.ts'
import { presentPassageVersion } from './present-passage-version.ts'

export function listPassageVersions(app: App, context: Context): void {
  app.get(
    '/v1/passages/:passage_id/versions',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'list_passage_versions',
        tags: ['passages'],
        summary: 'List the versions of a passage with their authors, newest first unless asked otherwise',
        params: PassageId,
        querystring: Type.Object(versionPaging),
        response: { 200: Type.Array(PassageVersionSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const { passage_id: passageId } = params
      await getPassage(context.db, actor.organizationId, passageId)
      const rows = await reader.listPassageVersions(context.db, actor.organizationId, passageId, toVersionPage(query))
      return rows.map(presentPassageVersion)
    },
  )
}
