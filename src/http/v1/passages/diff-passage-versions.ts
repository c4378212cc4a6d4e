import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { diffQuery, diffSchema, presentDiff } from '#http/wire/versions.ts'
import { comparePassageVersions } from '#memory/passage-versions.ts'
import { PassageVersionId, PassageVersionSchema } from './passage-version-schema.ts'
import { presentPassageVersion } from './present-passage-version.ts'

export function diffPassageVersions(app: App, context: Context): void {
  app.get(
    '/v1/passages/:passage_id/versions/:version/diff',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'diff_passage_versions',
        tags: ['passages'],
        summary: 'What a version of a passage changed, or how it differs from another one',
        params: PassageVersionId,
        querystring: Type.Object(diffQuery),
        response: { 200: diffSchema(PassageVersionSchema) },
      },
    },
    async ({ actor, params, query }) => {
      const asked = { version: params.version, from: query.from }
      const pair = await comparePassageVersions(context.db, actor.organizationId, params.passage_id, asked)
      return presentDiff(pair, (row) => row.text, presentPassageVersion)
    },
  )
}
