import type { FastifyReply } from 'fastify'
import { getStep } from '#http/v1/steps/get-step.ts'
import { sendNull } from '#http/wire/send-null.ts'
import type { Queryable } from '#store/db.ts'
import { findProviderTrace } from '#store/provider-traces/provider-trace.ts'
import { presentProviderTrace } from './trace-schema.ts'

/** Answers the trace of a step, or null where none was kept. Throws not_found for a step that is not there. */
export async function readTrace(db: Queryable, organizationId: string, stepId: string, reply: FastifyReply) {
  await getStep(db, organizationId, stepId)
  const row = await findProviderTrace(db, organizationId, stepId)
  return row === undefined ? sendNull(reply) : presentProviderTrace(row, organizationId)
}
