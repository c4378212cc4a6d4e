import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ResumeHeaders, ResumeRequest, resumeStream } from '#http/v1/agents/messages/resume-stream.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { getRun } from './get-run.ts'
import { RunId } from './run-schema.ts'

export function retrieveStreamForRun(app: App, context: Context): void {
  app.post(
    '/v1/runs/:run_id/stream',
    {
      config: { permission: 'runs:read', idempotency: 'none' },
      schema: {
        operationId: 'retrieve_stream_for_run',
        tags: ['runs'],
        summary: 'Stream a run from an event of yours on, while it works or after it',
        params: RunId,
        headers: ResumeHeaders,
        body: Type.Optional(Nullable(ResumeRequest)),
      },
    },
    async (request, reply) => {
      const { organizationId } = request.actor
      const run = await getRun(context.db, organizationId, request.params.run_id)
      return resumeStream(context, { request, reply }, run, organizationId, request.body)
    },
  )
}
