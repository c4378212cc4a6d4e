import type { FastifyReply, FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { Context } from '#context.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { DomainError, unprocessable } from '#platform/errors.ts'
import type { RunRow } from '#store/runs/run-reader.ts'
import { streamRun } from './stream-response.ts'

/** `agent_id`, `run_id` and `otid` say which run where the path does not. */
export const ResumeRequest = Type.Object({
  agent_id: Type.Optional(Nullable(Type.String())),
  run_id: Type.Optional(Nullable(Type.String())),
  otid: Type.Optional(Nullable(Type.String())),
  starting_after: Type.Optional(
    Nullable(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description: 'seq_id of the last event that you have',
      }),
    ),
  ),
  include_pings: Type.Optional(Nullable(Type.Boolean({ default: true }))),
  poll_interval: Type.Optional(Nullable(Type.Number({ description: 'Not needed: events come as they happen' }))),
  batch_size: Type.Optional(Nullable(Type.Integer({ description: 'Not needed: events come as they happen' }))),
})
export type ResumeRequest = Static<typeof ResumeRequest>

export const ResumeHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      description:
        'The id of the last event that you have, as EventSource sends it; counts where starting_after is not given',
    }),
  ),
})

/** The number after which the stream goes on. Throws unprocessable. */
function startOf(body: ResumeRequest | null | undefined, lastEventId: string | undefined): number {
  if (body?.starting_after != null) return body.starting_after
  if (lastEventId === undefined || lastEventId === '') return 0
  if (!/^\d{1,15}$/.test(lastEventId))
    throw unprocessable('Last-Event-ID must be the id of an event of this stream: a number.')
  return Number(lastEventId)
}

/**
 * Streams a run again, from the event after the cursor on, whichever replica works on it; one that has ended is told to its end.
 * Throws `gone` where those events are not kept any more.
 */
export async function resumeStream(
  context: Context,
  http: { request: FastifyRequest; reply: FastifyReply },
  run: RunRow,
  organizationId: string,
  body: ResumeRequest | null | undefined,
): Promise<FastifyReply> {
  const lastEventId = http.request.headers['last-event-id']
  const after = startOf(body, typeof lastEventId === 'string' ? lastEventId : undefined)
  const runId = run.id
  if (!(await context.runs.streams.canFollow(organizationId, runId, after))) {
    throw new DomainError(
      'gone',
      `The stream of ${runId} is not kept any more; its messages are: GET /v1/runs/${runId}/messages.`,
    )
  }
  const options = {
    runId,
    view: run.request.view,
    hasTokens: run.request.hasTokens ?? false,
    hasPings: body?.include_pings ?? true,
    after,
  }
  return streamRun(context, http, options, async (listener, onOver) =>
    context.runs.follow({ organizationId, runId, after, listener, onOver }),
  )
}
