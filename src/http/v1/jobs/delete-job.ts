import { removeJob } from '#agent/remove-job.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { JobId, JobSchema } from './job-schema.ts'
import { presentJob } from './present-job.ts'

export function deleteJob(app: App, context: Context): void {
  app.delete(
    '/v1/jobs/:job_id',
    {
      config: { permission: 'jobs:write' },
      schema: {
        operationId: 'delete_job',
        tags: ['jobs'],
        summary: 'Delete the record of a job, cancelled first where it has not ended; what it made stays',
        params: JobId,
        response: { 200: JobSchema },
      },
    },
    async ({ actor, params }) =>
      presentJob(await removeJob(context.db, context.runs, actor.organizationId, params.job_id)),
  )
}
