import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listJobs } from '#store/jobs/job-reader.ts'
import { JobSchema } from './job-schema.ts'
import { presentJob } from './present-job.ts'

export function listActiveJobs(app: App, context: Context): void {
  const { before, after, limit } = pagingParameters()
  app.get(
    '/v1/jobs/active',
    {
      config: { permission: 'jobs:read' },
      schema: {
        operationId: 'list_active_jobs',
        tags: ['jobs'],
        summary: 'List what has not ended, oldest first unless asked otherwise',
        querystring: Type.Object({
          before,
          after,
          limit,
          source_id: Type.Optional(IdSchema('source', 'Only uploads to this folder')),
          ascending: Type.Boolean({ default: true }),
        }),
        response: { 200: Type.Array(JobSchema) },
      },
    },
    async ({ actor, query }) => {
      const page = toPageRequest({ ...query, order: query.ascending ? 'asc' : 'desc' })
      const filter = { folderId: query.source_id, isActive: true }
      return (await listJobs(context.db, actor.organizationId, filter, page)).map(presentJob)
    },
  )
}
