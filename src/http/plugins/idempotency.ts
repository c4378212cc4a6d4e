import { createHash, randomUUID } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '#http/app.ts'
import { conflict, errorMessage, unprocessable } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import {
  claimRequestKey,
  type RequestAttempt,
  releaseRequestKey,
  type StoredAnswer,
  storeRequestAnswer,
} from '#store/idempotency/request-key.ts'

const MAX_KEY_LENGTH = 255
const MAX_BODY_BYTES = 1024 * 1024
/** An attempt without an answer after this has died with its process: the next may be made. */
const ATTEMPT_LIMIT_MS = 60_000
const CHANGING_METHODS = new Set(['POST', 'PATCH', 'PUT', 'DELETE'])
/** Answers that ask to be asked again: nothing was done, and the next attempt may fare better. */
const TRANSIENT_STATUSES = new Set([408, 409, 425, 429])
/** What of an answer's head is said again; the rest belongs to the connection or to the request. */
const KEPT_HEADERS = ['content-type', 'x-should-retry']

/** Set on every answer that is not of this request but of one before it with the same key. */
export const REPLAYED = 'idempotency-replayed'

declare module 'fastify' {
  interface FastifyRequest {
    /** What the Idempotency-Key of this request stands for; the routes that start runs claim it with the run. */
    idempotencyKey: { hash: string; fingerprint: string } | null
    /** The claim of a request whose answer is to be kept. */
    idempotentAttempt: RequestAttempt | null
  }
  interface FastifyContextConfig {
    /** `run`: the handler gives the key to the run that it starts. `none`: the operation changes nothing, the key has no meaning. */
    idempotency?: 'run' | 'none'
  }
}

/**
 * `Idempotency-Key`: a request that changes something is done once for each key, and what it answered is answered again for
 * 24 hours, by every replica. Requests that were refused before the handler claim nothing.
 */
export function keepAnswers(app: App, db: Queryable): void {
  app.decorateRequest('idempotencyKey', null)
  app.decorateRequest('idempotentAttempt', null)

  // before defaults are filled in: those may differ after an update of the server
  app.addHook('preValidation', async (request) => {
    const key = keyOf(request)
    if (key === undefined) return
    const { actor, body, method, params, query, routeOptions } = request
    request.idempotencyKey = {
      hash: digest(['key', actor.userId, method, routeOptions.url, params, key]),
      fingerprint: digest([query, body ?? null]),
    }
  })

  app.addHook('preHandler', async (request, reply) => {
    const key = request.idempotencyKey
    if (key === null || request.routeOptions.config.idempotency === 'run') return
    const attempt = { organizationId: request.actor.organizationId, ...key, attemptId: randomUUID() }
    const answer = await claim(db, attempt)
    if (answer === undefined) request.idempotentAttempt = attempt
    else return replay(reply, answer)
  })

  app.addHook('onSend', async (request, reply, payload) => {
    const attempt = request.idempotentAttempt
    if (attempt === null) return
    request.idempotentAttempt = null
    try {
      if (reply.statusCode >= 500 || TRANSIENT_STATUSES.has(reply.statusCode)) await releaseRequestKey(db, attempt)
      else await storeRequestAnswer(db, attempt, toAnswer(reply, payload))
    } catch (error) {
      // what was asked for is done: the answer is worth more than its copy
      request.log.error({ error: errorMessage(error) }, 'the answer to an Idempotency-Key was not kept')
    }
  })
}

/** Throws unprocessable. */
function keyOf({ headers, method, routeOptions }: FastifyRequest): string | undefined {
  const key = headers['idempotency-key']
  const { idempotency, permission } = routeOptions.config ?? {}
  if (key === undefined || !CHANGING_METHODS.has(method)) return undefined
  if (permission === 'public' || permission === undefined || idempotency === 'none') return undefined
  // printable ASCII: other characters do not come through proxies unchanged
  if (typeof key === 'string' && key.length <= MAX_KEY_LENGTH && /^[\x20-\x7e]+$/.test(key)) return key
  throw unprocessable(`Idempotency-Key must have 1 to ${MAX_KEY_LENGTH} printable ASCII characters.`)
}

/** The answer of an earlier request, or undefined where this one is to be done. Throws conflict, unprocessable. */
async function claim(db: Queryable, attempt: RequestAttempt): Promise<StoredAnswer | undefined> {
  let outcome: Awaited<ReturnType<typeof claimRequestKey>>
  try {
    outcome = await claimRequestKey(db, attempt, ATTEMPT_LIMIT_MS)
  } catch (error) {
    // it may have been claimed although we do not know
    await releaseRequestKey(db, attempt).catch(() => {})
    throw error
  }
  if (outcome.kind === 'claimed') return undefined
  if (outcome.kind === 'other-request') {
    throw unprocessable(
      'This Idempotency-Key was used with another request body. Send a new key with a new request, and the same body with the same key.',
    )
  }
  if (outcome.kind === 'under-way') {
    throw conflict('A request with this Idempotency-Key is being processed; try again in a moment.', {
      retryAfterSeconds: 1,
    })
  }
  if (outcome.answer.body !== null) return outcome.answer
  throw conflict(
    `The request with this Idempotency-Key was done (status ${outcome.answer.status}), but its answer was too large to be kept. Read what it has changed.`,
    { canRetry: false },
  )
}

function replay(reply: FastifyReply, answer: StoredAnswer): FastifyReply {
  return reply
    .code(answer.status)
    .headers(answer.headers)
    .header(REPLAYED, 'true')
    .serializer((text: string) => text)
    .send(answer.body ?? '')
}

function toAnswer(reply: FastifyReply, payload: unknown): StoredAnswer {
  const headers: Record<string, string> = {}
  for (const name of KEPT_HEADERS) {
    const value = reply.getHeader(name)
    if (value !== undefined) headers[name] = String(value)
  }
  const text = typeof payload === 'string' ? payload : payload == null ? '' : undefined
  const isKept = text !== undefined && Buffer.byteLength(text) <= MAX_BODY_BYTES
  return { status: reply.statusCode, headers, body: isKept ? text : null }
}

/** Hash of a value, whatever the order of the fields in its objects. */
export function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortKeys)).digest('base64url')
}

const sortKeys = (_key: string, value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value
