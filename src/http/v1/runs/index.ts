import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { deleteRun } from './delete-run.ts'
import { listActiveRuns } from './list-active-runs.ts'
import { listMessagesForRun } from './list-messages-for-run.ts'
import { listRuns } from './list-runs.ts'
import { listStepsForRun } from './list-steps-for-run.ts'
import { retrieveMetricsForRun } from './retrieve-metrics-for-run.ts'
import { retrieveRun } from './retrieve-run.ts'
import { retrieveStreamForRun } from './retrieve-stream-for-run.ts'
import { retrieveTraceForRun } from './retrieve-trace-for-run.ts'
import { retrieveUsageForRun } from './retrieve-usage-for-run.ts'

export function registerRuns(app: App, context: Context): void {
  // runs:read
  listRuns(app, context)
  listActiveRuns(app, context)
  retrieveRun(app, context)
  listMessagesForRun(app, context)
  listStepsForRun(app, context)
  retrieveUsageForRun(app, context)
  retrieveMetricsForRun(app, context)
  retrieveTraceForRun(app, context)
  retrieveStreamForRun(app, context)

  // runs:write
  deleteRun(app, context)
}
