import { type Queryable, statement } from '#store/db.ts'
import type { AgentAccess } from './find-access-token.ts'

/** A token as it can be shown: without itself. */
export interface AccessTokenRow {
  id: string
  policy: AgentAccess[]
  hostname: string
  expires_at: Date
}

const COLUMNS = 't.id, t.policy, t.hostname, t.expires_at'

// those that are over for a day go with the next that is made: nobody asks for them any more
const INSERT = statement(
  'insert-access-token',
  `with pruned as (
    delete from access_tokens as o where o.organization_id = $1 and o.expires_at < now() - interval '1 day'
  )
  insert into access_tokens as t (organization_id, id, token_hash, policy, hostname, user_id, expires_at)
  values ($1, $2, $3, $4::jsonb, $5, $6, $7) returning ${COLUMNS}`,
)

export async function insertAccessToken(
  db: Queryable,
  organizationId: string,
  token: { id: string; hash: Uint8Array; policy: AgentAccess[]; hostname: string; userId: string; expiresAt: Date },
): Promise<AccessTokenRow> {
  const { id, hash, policy, hostname, userId, expiresAt } = token
  const parameters = [organizationId, id, hash, JSON.stringify(policy), hostname, userId, expiresAt]
  const [row] = await db.query<AccessTokenRow>(INSERT, parameters)
  if (row === undefined) throw new Error('insert-access-token returned no row')
  return row
}

const LIST = statement(
  'list-access-tokens',
  `select ${COLUMNS} from access_tokens as t
   where t.organization_id = $1 and t.expires_at > now()
     and ($2::text is null or t.policy @> jsonb_build_array(jsonb_build_object('id', $2::text)))
   order by t.created_at desc, t.id desc limit $3 offset $4`,
)

/** Those that are good still, the newest first. */
export function listAccessTokens(
  db: Queryable,
  organizationId: string,
  page: { agentId: string | undefined; limit: number; offset: number },
): Promise<AccessTokenRow[]> {
  return db.query<AccessTokenRow>(LIST, [organizationId, page.agentId ?? null, page.limit, page.offset])
}

const DELETE_BY_ID = statement(
  'delete-access-token-by-id',
  'delete from access_tokens where organization_id = $1 and id = $2 returning id',
)
const DELETE_BY_HASH = statement(
  'delete-access-token-by-hash',
  'delete from access_tokens where organization_id = $1 and token_hash = $2 returning id',
)

/** False where there is none. */
export async function deleteAccessToken(
  db: Queryable,
  organizationId: string,
  key: { id: string } | { hash: Uint8Array },
): Promise<boolean> {
  const rows =
    'id' in key
      ? await db.query(DELETE_BY_ID, [organizationId, key.id])
      : await db.query(DELETE_BY_HASH, [organizationId, key.hash])
  return rows.length > 0
}
