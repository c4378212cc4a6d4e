import { type Queryable, statement } from '#store/db.ts'

export const AGENT_ACCESSES = ['read_messages', 'write_messages', 'read_agent', 'write_agent'] as const

/** What a token may do with one agent. */
export interface AgentAccess {
  type: 'agent'
  id: string
  access: (typeof AGENT_ACCESSES)[number][]
}

export interface FoundAccessToken {
  policy: AgentAccess[]
  hostname: string
  user_id: string
  is_expired: boolean
}

// one probe of the unique index for each request with a token
const FIND = statement(
  'find-access-token',
  `select t.policy, t.hostname, t.user_id, t.expires_at <= now() as is_expired from access_tokens as t
   where t.organization_id = $1 and t.token_hash = $2`,
)

export async function findAccessToken(
  db: Queryable,
  organizationId: string,
  hash: Uint8Array,
): Promise<FoundAccessToken | undefined> {
  const [row] = await db.query<FoundAccessToken>(FIND, [organizationId, hash])
  return row
}

const BELONGS = statement(
  'conversation-is-of-agent',
  'select c.id from conversations as c where c.organization_id = $1 and c.id = $2 and c.agent_id = $3',
)

export async function isConversationOf(
  db: Queryable,
  organizationId: string,
  conversationId: string,
  agentId: string,
): Promise<boolean> {
  return (await db.query(BELONGS, [organizationId, conversationId, agentId])).length > 0
}
