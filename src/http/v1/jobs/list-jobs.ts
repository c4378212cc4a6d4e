import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import * as reader from '#store/jobs/job-reader.ts'
import { JobSchema } from './job-schema.ts'
import { presentJob } from './present-job.ts'

export function listJobs(app: App, context: Context): void {
  app.get(
    '/v1/jobs',
    {
      config: { permission: 'jobs:read' },
      schema: {
        operationId: 'list_jobs',
        tags: ['jobs'],
        summary: 'List uploads and batches, newest first unless asked otherwise',
        querystring: Type.Object({
          ...pagingParameters({ limit: 100 }),
          source_id: Type.Optional(IdSchema('source', 'Only uploads to this folder')),
          ascending: Type.Optional(Type.Boolean({ deprecated: true, description: 'Older name of order=asc' })),
          active: Type.Boolean({ default: false, description: 'Only what has not ended' }),
        }),
        response: { 200: Type.Array(JobSchema) },
      },
    },
    async ({ actor, query }) => {
      const page = toPageRequest(query.ascending ? { ...query, order: 'asc' } : query)
      const filter = { folderId: query.source_id, isActive: query.active }
      return (await reader.listJobs(context.db, actor.organizationId, filter, page)).map(presentJob)
    },
  )
}
