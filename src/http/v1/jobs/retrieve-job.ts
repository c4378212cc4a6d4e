import { getJob } from '#agent/remove-job.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { JobId, JobSchema } from './job-schema.ts'
import { presentJob } from './present-job.ts'

export function retrieveJob(app: App, context: Context): void {
  app.get(
    '/v1/jobs/:job_id',
    {
      config: { permission: 'jobs:read' },
      schema: {
        operationId: 'retrieve_job',
        tags: ['jobs'],
        summary: 'Retrieve a job',
        params: JobId,
        response: { 200: JobSchema },
      },
    },
    async ({ actor, params }) => presentJob(await getJob(context.db, actor.organizationId, params.job_id)),
  )
}
