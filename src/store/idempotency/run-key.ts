import { type Queryable, statement } from '#store/db.ts'

/** By what a run can be found again. A run is accepted only if none of its keys leads to another one. */
export interface RunKey {
  hash: string
  /** Hash of the request, where the same key with another request is a mistake that the client is told of. */
  fingerprint: string | null
}

/** CTE text that stores `RunKey[]` (a JSON array) for the run of the relation `from`; fails where one of them is there. */
export function claimedKeys(source: { from: string; json: string; organizationId: string; runId: string }): string {
  return `insert into idempotency_keys (organization_id, key_hash, fingerprint, run_id)
  select ${source.organizationId}, n.hash, n.fingerprint, ${source.runId}
  from ${source.from} cross join jsonb_to_recordset(${source.json}) as n (hash text, fingerprint text)
  order by n.hash`
}

/** CTE text that lets hashes (a JSON array, each once) lead to the run of the relation `from`: the newest one. */
export function noticedKeys(source: { from: string; json: string; organizationId: string; runId: string }): string {
  return `insert into idempotency_keys (organization_id, key_hash, run_id)
  select ${source.organizationId}, n.hash, ${source.runId}
  from ${source.from} cross join jsonb_array_elements_text(${source.json}) as n (hash)
  order by n.hash
  on conflict (organization_id, key_hash) do update set run_id = excluded.run_id, expires_at = excluded.expires_at`
}

const find = statement(
  'find-run-keys',
  `
select k.key_hash, k.fingerprint, k.run_id, k.expires_at < now() as is_expired, r.status
from idempotency_keys as k left join runs as r on r.organization_id = k.organization_id and r.id = k.run_id
where k.organization_id = $1 and k.key_hash = any($2::text[])`,
)

const remove = statement(
  'delete-run-keys',
  `delete from idempotency_keys as k using unnest($2::text[], $3::text[]) as n (key_hash, run_id)
where k.organization_id = $1 and k.key_hash = n.key_hash and k.run_id = n.run_id`,
)

export interface FoundRunKey {
  key_hash: string
  fingerprint: string | null
  run_id: string
  is_expired: boolean
  /** Null where the run was deleted. */
  status: string | null
}

export function findRunKeys(db: Queryable, organizationId: string, hashes: string[]): Promise<FoundRunKey[]> {
  return db.query<FoundRunKey>(find, [organizationId, hashes])
}

/** Makes room for new runs; a key that leads elsewhere by now stays. */
export async function deleteRunKeys(
  db: Queryable,
  organizationId: string,
  keys: readonly FoundRunKey[],
): Promise<void> {
  await db.query(remove, [organizationId, keys.map((key) => key.key_hash), keys.map((key) => key.run_id)])
}
