import { type Queryable, statement } from '#store/db.ts'

/** Takes a key that nobody has, or that is over: expired, or its attempt has died without an answer. */
const claim = statement(
  'claim-request-key',
  `
insert into idempotency_keys as k (organization_id, key_hash, fingerprint, attempt_id, attempt_expires_at)
values ($1, $2, $3, $4, now() + $5::integer * interval '1 millisecond')
on conflict (organization_id, key_hash) do update set fingerprint = excluded.fingerprint, run_id = null,
  attempt_id = excluded.attempt_id, attempt_expires_at = excluded.attempt_expires_at, expires_at = excluded.expires_at,
  status = null, headers = null, body = null
where k.expires_at < now()
  or (k.status is null and k.attempt_expires_at < now() and k.fingerprint = excluded.fingerprint)
returning 1 as claimed`,
)

const find = statement(
  'find-request-key',
  `
select k.fingerprint, k.status, k.headers, k.body from idempotency_keys as k
where k.organization_id = $1 and k.key_hash = $2`,
)

const finish = statement(
  'store-request-answer',
  `
update idempotency_keys as k set status = $4, headers = $5::jsonb, body = $6, attempt_expires_at = null
where k.organization_id = $1 and k.key_hash = $2 and k.attempt_id = $3 and k.status is null`,
)

const release = statement(
  'release-request-key',
  `delete from idempotency_keys as k
where k.organization_id = $1 and k.key_hash = $2 and k.attempt_id = $3 and k.status is null`,
)

/** One attempt at a request that has a key. */
export interface RequestAttempt {
  organizationId: string
  hash: string
  fingerprint: string
  /** Unique to the attempt: one that took longer than it may cannot disturb the next. */
  attemptId: string
}

export interface StoredAnswer {
  status: number
  headers: Record<string, string>
  /** Null where it was too large to be kept. */
  body: string | null
}

export type RequestClaim =
  | { kind: 'claimed' }
  | { kind: 'under-way' }
  | { kind: 'other-request' }
  | { kind: 'answered'; answer: StoredAnswer }

/** Whether this attempt is to be made, or another one was. */
export async function claimRequestKey(db: Queryable, attempt: RequestAttempt, limitMs: number): Promise<RequestClaim> {
  const { organizationId, hash, fingerprint, attemptId } = attempt
  const [claimed] = await db.query(claim, [organizationId, hash, fingerprint, attemptId, limitMs])
  if (claimed !== undefined) return { kind: 'claimed' }
  interface Row {
    fingerprint: string
    status: number | null
    headers: Record<string, string> | null
    body: string | null
  }
  const [row] = await db.query<Row>(find, [organizationId, hash])
  // given back this moment: the client is to try again, as if it were under way
  if (row === undefined) return { kind: 'under-way' }
  if (row.fingerprint !== fingerprint) return { kind: 'other-request' }
  if (row.status === null) return { kind: 'under-way' }
  return { kind: 'answered', answer: { status: row.status, headers: row.headers ?? {}, body: row.body } }
}

export async function storeRequestAnswer(db: Queryable, attempt: RequestAttempt, answer: StoredAnswer): Promise<void> {
  const { organizationId, hash, attemptId } = attempt
  await db.query(finish, [organizationId, hash, attemptId, answer.status, JSON.stringify(answer.headers), answer.body])
}

/** The attempt has come to nothing that is worth keeping: the next one may do it. */
export async function releaseRequestKey(db: Queryable, attempt: RequestAttempt): Promise<void> {
  await db.query(release, [attempt.organizationId, attempt.hash, attempt.attemptId])
}
