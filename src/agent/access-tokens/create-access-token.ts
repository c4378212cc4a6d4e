import { notFound, unprocessable } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { type AccessTokenRow, deleteAccessToken, insertAccessToken } from '#store/access-tokens/access-token-writer.ts'
import type { AgentAccess } from '#store/access-tokens/find-access-token.ts'
import { requireAgents } from '#store/agents/require-agent.ts'
import type { Queryable } from '#store/db.ts'
import { hashOf, newAccessToken, parseAccessToken } from './access-token.ts'

/** A token that nobody said an end of; V1's figure. */
const DEFAULT_LIFE_MS = 5 * 60_000

export interface NewAccessTokenInput {
  policy: readonly AgentAccess[]
  /** The address of the pages that may use it, with its protocol. */
  hostname: string
  expiresAt: Date | undefined
}

/**
 * Makes a token with which a web page may work with some agents. Its text is given here and never again. Throws not_found
 * (agents), unprocessable (address, end).
 */
export async function createAccessToken(
  db: Queryable,
  author: { organizationId: string; userId: string },
  input: NewAccessTokenInput,
): Promise<AccessTokenRow & { token: string }> {
  const { organizationId, userId } = author
  const url = URL.parse(input.hostname)
  if (url === null || !/^https?:$/.test(url.protocol) || url.host === '') {
    throw unprocessable('hostname must be a whole address with its protocol, such as https://app.example.org.')
  }
  const expiresAt = input.expiresAt ?? new Date(Date.now() + DEFAULT_LIFE_MS)
  if (expiresAt.getTime() <= Date.now()) throw unprocessable('expires_at has passed: send a time to come.')
  const policy = merge(input.policy)
  await requireAgents(
    db,
    organizationId,
    policy.map(({ id }) => id),
  )
  const token = newAccessToken(organizationId)
  const row = await insertAccessToken(db, organizationId, {
    id: newId('token'),
    hash: hashOf(token),
    policy,
    hostname: input.hostname,
    userId,
    expiresAt,
  })
  return { ...row, token }
}

/** Each agent once, with everything that is said of it. */
function merge(policy: readonly AgentAccess[]): AgentAccess[] {
  const byAgent = Map.groupBy(policy, ({ id }) => id)
  return [...byAgent].map(([id, entries]) => ({
    type: 'agent',
    id,
    access: [...new Set(entries.flatMap(({ access }) => access))],
  }))
}

/** By the token itself, or by the id that lists show. Throws not_found. */
export async function removeAccessToken(db: Queryable, organizationId: string, tokenOrId: string): Promise<void> {
  const parsed = parseAccessToken(tokenOrId)
  const key = parsed === undefined ? { id: tokenOrId } : { hash: parsed.hash }
  // the text is not said again: it can be a secret
  if (!(await deleteAccessToken(db, organizationId, key))) throw notFound('This access token was not found.')
}
