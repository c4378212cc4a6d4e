import { type Queryable, statement } from '#store/db.ts'

const find = statement(
  'find-default-thread-id',
  'select c.id from conversations as c where c.organization_id = $1 and c.agent_id = $2 and c.is_default',
)

/** The id of an agent's default conversation; undefined where there is no such agent. */
export async function findDefaultThreadId(
  db: Queryable,
  organizationId: string,
  agentId: string,
): Promise<string | undefined> {
  const [row] = await db.query<{ id: string }>(find, [organizationId, agentId])
  return row?.id
}
