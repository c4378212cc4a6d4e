import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { deleteRun } from './delete-run.ts'
import { listMessagesForRun } from './list-messages-for-run.ts'
import { listRuns } from './list-runs.ts'
import { listStepsForRun } from './list-steps-for-run.ts'
import { retrieveRun } from './retrieve-run.ts'
import { retrieveStreamForRun } from './retrieve-stream-for-run.ts'
import { retrieveUsageForRun } from './retrieve-usage-for-run.ts'

export function registerRuns(app: App, context: Context): void {
  // runs:read
  listRuns(app, context)
  retrieveRun(app, context)
  listMessagesForRun(app, context)
  listStepsForRun(app, context)
  retrieveUsageForRun(app, context)
  retrieveStreamForRun(app, context)

  // runs:write
  deleteRun(app, context)
}
