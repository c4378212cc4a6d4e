import { setTimeout as sleep } from 'node:timers/promises'
import { findMcpOauthSessionStatus } from '#store/mcp-servers/mcp-oauth-store.ts'
import { loadToolEnvironment } from '#tools/tool-environment.ts'
import type { McpAsker } from './ask-mcp-server.ts'
import { AuthorizationFailed, SESSION_MS } from './mcp-authorizer.ts'
import type { RemoteTool } from './mcp-connection.ts'
import { McpFailure } from './mcp-failure.ts'
import { type ConnectableServer, toTarget } from './mcp-target.ts'
import { syncMcpTools } from './sync-mcp-tools.ts'

/** What whoever connects is told, with V1's names. */
export type McpConnectEvent =
  | { event: 'connection_attempt'; server_name: string }
  | { event: 'success'; tools: readonly RemoteTool[] }
  | { event: 'error'; message: string }
  | { event: 'oauth_required'; message: string }
  | { event: 'authorization_url'; url: string; session_id: string }
  | { event: 'waiting_for_auth'; message: string }

export interface Connecting {
  organizationId: string
  userId: string
  /** Where an authorization server sends people back to. */
  redirectUrl: string
  /** False for a configuration that is only tried: nothing of it is kept. */
  isStored: boolean
  signal: AbortSignal
}

/** The way back can reach any replica, so that the database is asked whether it was taken. */
const POLL_MS = 1_000

/**
 * Connects to a server, with a person's authorization by OAuth where it wants one, and stores the tools that it has then. Ends when the
 * signal is aborted; an authorization that was begun stays good.
 */
export async function* connectMcpServer(
  asker: McpAsker,
  server: ConnectableServer,
  connecting: Connecting,
): AsyncGenerator<McpConnectEvent> {
  yield { event: 'connection_attempt', server_name: server.server_name }
  const first = await attempt(asker, server, connecting)
  if (!(first instanceof McpFailure)) return yield first
  if (first.kind !== 'authorization') return yield { event: 'error', message: first.message }
  yield { event: 'oauth_required', message: 'OAuth authentication required' }
  if (!connecting.isStored) {
    const message = `MCP server '${server.server_name}' wants an authorization, and only a stored server can keep one: add it, then open GET /v1/mcp-servers/connect/{its id}.`
    return yield { event: 'error', message }
  }
  yield* authorize(asker, server, connecting)
}

async function* authorize(
  asker: McpAsker,
  server: ConnectableServer,
  connecting: Connecting,
): AsyncGenerator<McpConnectEvent> {
  const { organizationId, userId, redirectUrl, signal } = connecting
  const target = toTarget(organizationId, server, asker.secrets, await variablesOf(asker, connecting))
  const begun = await asker.pool.authorizer.begin(target, { redirectUrl, userId }).catch(toFailure)
  if (begun instanceof AuthorizationFailed) return yield { event: 'error', message: begun.message }
  yield { event: 'authorization_url', url: begun.url, session_id: begun.sessionId }
  yield { event: 'waiting_for_auth', message: 'Waiting for user authorization...' }
  const problem = await waitForSession(asker, organizationId, begun.sessionId, signal)
  if (signal.aborted) return
  if (problem !== undefined) return yield { event: 'error', message: problem }
  asker.pool.authorizer.forget(organizationId, server.id)
  const second = await attempt(asker, server, connecting)
  yield second instanceof McpFailure ? { event: 'error', message: second.message } : second
}

function toFailure(error: unknown): AuthorizationFailed {
  if (error instanceof AuthorizationFailed) return error
  throw error
}

const variablesOf = ({ db, secrets }: McpAsker, { organizationId }: Connecting) =>
  loadToolEnvironment(db, secrets, organizationId, null)

async function attempt(
  asker: McpAsker,
  server: ConnectableServer,
  connecting: Connecting,
): Promise<McpConnectEvent | McpFailure> {
  const { organizationId, isStored, signal } = connecting
  try {
    const target = toTarget(organizationId, server, asker.secrets, await variablesOf(asker, connecting))
    const tools = await asker.pool.listTools(target, { signal, isForced: true })
    if (isStored) await syncMcpTools(asker.db, connecting, server.id, tools)
    return { event: 'success', tools }
  } catch (error) {
    if (error instanceof McpFailure) return error
    throw error
  }
}

/** Why the authorization did not come about; undefined where it did, and where nobody waits any more. */
async function waitForSession(
  { db }: McpAsker,
  organizationId: string,
  sessionId: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const untilMs = Date.now() + SESSION_MS
  while (!signal.aborted && Date.now() < untilMs) {
    const session = await findMcpOauthSessionStatus(db, organizationId, sessionId)
    if (session === undefined) return 'The MCP server was deleted meanwhile.'
    if (session.status === 'authorized') return undefined
    if (session.status === 'failed') return session.error ?? 'The authorization failed.'
    if (session.is_over) break
    await sleep(POLL_MS, undefined, { signal }).catch(() => {})
  }
  return signal.aborted ? undefined : 'Nobody allowed it within 10 minutes. Connect again.'
}
