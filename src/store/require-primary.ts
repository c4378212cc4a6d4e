import type pg from 'pg'

const ASK_TIMEOUT_MS = 5000
/**
 * A server's start is its identity: no two have the same, and its connections do not outlive it. Compiling statements to machine code (JIT) takes longer than any
 * of ours, so that it is switched off on the way.
 */
const ask = `select pg_is_in_recovery() as is_standby, extract(epoch from pg_postmaster_start_time())::text as started_at,
  set_config('jit', 'off', false)`

/**
 * Refuses a new connection to a standby: what is read there may be old, and a fail-over is when an address leads there.
 * Asked once: a primary becomes a standby only by a restart. PostgreSQL tells it unasked too (`in_hot_standby`), but PgBouncer
 * repeats what the first server told it, for as long as it runs.
 * @returns what tells this server from others
 */
export async function requirePrimary(client: pg.ClientBase): Promise<string> {
  const { rows } = await client.query<{ is_standby: boolean; started_at: string }>({
    text: ask,
    query_timeout: ASK_TIMEOUT_MS,
  } as pg.QueryConfig)
  const [server] = rows
  // cannot_connect_now: what a server says that is not ready yet
  if (server?.is_standby !== false) throw Object.assign(new Error('the server is a standby'), { code: '57P03' })
  return server.started_at
}
