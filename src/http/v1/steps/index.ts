import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listMessagesForStep } from './list-messages-for-step.ts'
import { listSteps } from './list-steps.ts'
import { modifyFeedbackForStep } from './modify-feedback-for-step.ts'
import { retrieveMetricsForStep } from './retrieve-metrics-for-step.ts'
import { retrieveStep } from './retrieve-step.ts'
import { retrieveTraceForStep } from './retrieve-trace-for-step.ts'

export function registerSteps(app: App, context: Context): void {
  // steps:read
  listSteps(app, context)
  retrieveStep(app, context)
  listMessagesForStep(app, context)
  retrieveMetricsForStep(app, context)
  retrieveTraceForStep(app, context)

  // steps:write
  modifyFeedbackForStep(app, context)
}
