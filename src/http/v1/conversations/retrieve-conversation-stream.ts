import { setTimeout as sleep } from 'node:timers/promises'
import Type from 'typebox'
import { threadNotFound } from '#agent/get-thread.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { ResumeHeaders, ResumeRequest, resumeStream } from '#http/v1/agents/messages/resume-stream.ts'
import { otidHash } from '#http/v1/agents/messages/run-keys.ts'
import { getRun } from '#http/v1/runs/get-run.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { invalidArgument, notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { findRunKeys } from '#store/idempotency/run-key.ts'
import { findNewestActiveRun } from '#store/runs/find-newest-active-run.ts'
import type { RunRow } from '#store/runs/run-reader.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { ConversationId, toThread } from './conversation-id.ts'

/** Pauses before the looks for an otid. */
const OTID_PAUSES_MS = [0, 250, 500, 1000]

export function retrieveConversationStream(app: App, context: Context): void {
  app.post(
    '/v1/conversations/:conversation_id/stream',
    {
      config: { permission: 'runs:read', idempotency: 'none' },
      schema: {
        operationId: 'retrieve_conversation_stream',
        tags: ['conversations'],
        summary:
          'Stream a run of a conversation from an event of yours on: the one that works now, or the one that you name',
        params: Type.Object({ conversation_id: ConversationId }),
        headers: ResumeHeaders,
        body: Type.Optional(Nullable(ResumeRequest)),
      },
    },
    async (request, reply) => {
      const { organizationId } = request.actor
      const run = await chooseRun(context.db, organizationId, request.params.conversation_id, request.body)
      return resumeStream(context, { request, reply }, run, organizationId, request.body)
    },
  )
}

async function chooseRun(
  db: Queryable,
  organizationId: string,
  conversationId: string,
  body: ResumeRequest | null | undefined,
): Promise<RunRow> {
  if (body?.run_id != null) return getRun(db, organizationId, body.run_id)
  const thread = toThread(conversationId, body?.agent_id)
  if (body?.otid != null) return findRunByOtid(db, organizationId, thread, body.otid)
  const runId = await findNewestActiveRun(db, organizationId, thread)
  if (runId === 'no-thread') throw threadNotFound(thread)
  if (runId === undefined) throw invalidArgument('No active runs found for this conversation.')
  return getRun(db, organizationId, runId)
}

/** The run of a message that the client knows by its otid; it may ask before its request has arrived. */
async function findRunByOtid(
  db: Queryable,
  organizationId: string,
  thread: NewRun['thread'],
  otid: string,
): Promise<RunRow> {
  const hash = otidHash(thread, otid)
  for (const pauseMs of OTID_PAUSES_MS) {
    if (pauseMs > 0) await sleep(pauseMs)
    const [key] = await findRunKeys(db, organizationId, [hash])
    if (key !== undefined && !key.is_expired && key.status !== null) return getRun(db, organizationId, key.run_id)
  }
  throw notFound(`No run found for otid=${otid}`)
}
