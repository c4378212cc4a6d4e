import { type Queryable, statement } from '#store/db.ts'

/** Tokens of a server as they are stored. */
export interface McpOauthTokensRow {
  server_url: string
  sealed: string
}

const FIND_TOKENS = statement(
  'find-mcp-oauth-tokens',
  'select t.server_url, t.sealed from mcp_oauth_tokens as t where t.organization_id = $1 and t.mcp_server_id = $2',
)

export async function findMcpOauthTokens(
  db: Queryable,
  organizationId: string,
  serverId: string,
): Promise<McpOauthTokensRow | undefined> {
  const [row] = await db.query<McpOauthTokensRow>(FIND_TOKENS, [organizationId, serverId])
  return row
}

// nothing is stored for a server that has another address by now, or is gone
const SAVE_TOKENS = statement(
  'save-mcp-oauth-tokens',
  `insert into mcp_oauth_tokens as t (organization_id, mcp_server_id, server_url, sealed)
   select s.organization_id, s.id, s.server_url, $4 from mcp_servers as s
   where s.organization_id = $1 and s.id = $2 and s.server_url = $3
   on conflict (organization_id, mcp_server_id) do update set server_url = excluded.server_url, sealed = excluded.sealed,
     updated_at = now()
   returning t.mcp_server_id`,
)

/** False when the server is gone or has another address than the tokens are for. */
export async function saveMcpOauthTokens(
  db: Queryable,
  organizationId: string,
  serverId: string,
  tokens: McpOauthTokensRow,
): Promise<boolean> {
  const rows = await db.query(SAVE_TOKENS, [organizationId, serverId, tokens.server_url, tokens.sealed])
  return rows.length > 0
}

const DELETE_TOKENS = statement(
  'delete-mcp-oauth-tokens',
  'delete from mcp_oauth_tokens as t where t.organization_id = $1 and t.mcp_server_id = $2',
)

export async function deleteMcpOauthTokens(db: Queryable, organizationId: string, serverId: string): Promise<void> {
  await db.query(DELETE_TOKENS, [organizationId, serverId])
}

export type McpOauthStatus = 'pending' | 'exchanging' | 'authorized' | 'failed'

export interface McpOauthSessionRow {
  id: string
  mcp_server_id: string
  server_url: string
  sealed: string
}

// what is over is forgotten with the same statement
const INSERT_SESSION = statement(
  'insert-mcp-oauth-session',
  `with over as (delete from mcp_oauth_sessions as o where o.organization_id = $1 and o.expires_at < now() - interval '1 hour')
   insert into mcp_oauth_sessions (organization_id, id, mcp_server_id, server_url, state_hash, sealed, created_by_id, expires_at)
   values ($1, $2, $3, $4, $5, $6, $7, now() + $8 * interval '1 millisecond')`,
)

export async function insertMcpOauthSession(
  db: Queryable,
  organizationId: string,
  session: McpOauthSessionRow & { stateHash: string; userId: string; lifetimeMs: number },
): Promise<void> {
  const { id, mcp_server_id, server_url, stateHash, sealed, userId, lifetimeMs } = session
  await db.query(INSERT_SESSION, [organizationId, id, mcp_server_id, server_url, stateHash, sealed, userId, lifetimeMs])
}

const TAKE_SESSION = statement(
  'take-mcp-oauth-session',
  `update mcp_oauth_sessions as s set status = 'exchanging'
   where s.organization_id = $1 and s.state_hash = $2 and s.status = 'pending' and s.expires_at > now()
   returning s.id, s.mcp_server_id, s.server_url, s.sealed`,
)

/** The session of this state, for the first who asks; undefined when it is used, over or unknown. */
export async function takeMcpOauthSession(
  db: Queryable,
  organizationId: string,
  stateHash: string,
): Promise<McpOauthSessionRow | undefined> {
  const [row] = await db.query<McpOauthSessionRow>(TAKE_SESSION, [organizationId, stateHash])
  return row
}

// what it knew is not needed any more
const END_SESSION = statement(
  'end-mcp-oauth-session',
  `update mcp_oauth_sessions as s set status = $3, error = $4, sealed = ''
   where s.organization_id = $1 and s.id = $2`,
)

export async function endMcpOauthSession(
  db: Queryable,
  organizationId: string,
  id: string,
  end: { status: 'authorized' | 'failed'; error: string | null },
): Promise<void> {
  await db.query(END_SESSION, [organizationId, id, end.status, end.error])
}

const FIND_SESSION_STATUS = statement(
  'find-mcp-oauth-session-status',
  `select s.status, s.error, s.expires_at < now() as is_over from mcp_oauth_sessions as s
   where s.organization_id = $1 and s.id = $2`,
)

/** Undefined when the session is gone, with its server. */
export async function findMcpOauthSessionStatus(
  db: Queryable,
  organizationId: string,
  id: string,
): Promise<{ status: McpOauthStatus; error: string | null; is_over: boolean } | undefined> {
  const [row] = await db.query<{ status: McpOauthStatus; error: string | null; is_over: boolean }>(
    FIND_SESSION_STATUS,
    [organizationId, id],
  )
  return row
}
