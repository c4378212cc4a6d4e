import { stopJob } from '#agent/remove-job.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { JobId, JobSchema } from './job-schema.ts'
import { presentJob } from './present-job.ts'

export function cancelJob(app: App, context: Context): void {
  app.patch(
    '/v1/jobs/:job_id/cancel',
    {
      config: { permission: 'jobs:write' },
      schema: {
        operationId: 'cancel_job',
        tags: ['jobs'],
        summary: 'Cancel what of a job has not ended; one that has ended stays as it is',
        params: JobId,
        response: { 200: JobSchema },
      },
    },
    async ({ actor, params }) =>
      presentJob(await stopJob(context.db, context.runs, actor.organizationId, params.job_id)),
  )
}
