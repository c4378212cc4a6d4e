import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { cancelJob } from './cancel-job.ts'
import { deleteJob } from './delete-job.ts'
import { listActiveJobs } from './list-active-jobs.ts'
import { listJobs } from './list-jobs.ts'
import { retrieveJob } from './retrieve-job.ts'

export function registerJobs(app: App, context: Context): void {
  // jobs:read
  listJobs(app, context)
  listActiveJobs(app, context)
  retrieveJob(app, context)

  // jobs:write
  cancelJob(app, context)
  deleteJob(app, context)
}
