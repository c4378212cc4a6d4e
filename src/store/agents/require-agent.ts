import { type DomainError, notFound } from '#platform/errors.ts'
import { type Queryable, statement } from '#store/db.ts'

const AGENT_EXISTS = statement(
  'agent-exists',
  'select a.id from agents as a where a.organization_id = $1 and a.id = $2',
)

export const agentNotFound = (id: string): DomainError =>
  notFound(`Agent not found: there is no agent with the id ${id}.`)

/** Throws not_found. Use it where nothing but the existence matters. */
export async function requireAgent(db: Queryable, organizationId: string, id: string): Promise<void> {
  const rows = await db.query(AGENT_EXISTS, [organizationId, id])
  if (rows.length === 0) throw agentNotFound(id)
}

const LIST_KNOWN_AGENTS = statement(
  'list-known-agents',
  'select a.id from agents as a where a.organization_id = $1 and a.id = any($2::text[])',
)

/** Throws not_found where one of the ids is of no agent. */
export async function requireAgents(db: Queryable, organizationId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const known = await db.query<{ id: string }>(LIST_KNOWN_AGENTS, [organizationId, ids])
  const unknown = ids.filter((id) => !known.some((row) => row.id === id))
  if (unknown.length > 0) throw notFound(`Agents not found: there are no agents with the ids ${unknown.join(', ')}.`)
}
