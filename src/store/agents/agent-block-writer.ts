import { type Queryable, statement } from '#store/db.ts'
import { attachedAt } from './attached-at.ts'

const ATTACH_BLOCK = statement(
  'attach-block',
  `insert into agent_blocks (organization_id, agent_id, block_id, label)
   select a.organization_id, a.id, b.id, b.label from agents as a
   join blocks as b on b.organization_id = a.organization_id and b.id = $3
   where a.organization_id = $1 and a.id = $2
   on conflict (organization_id, agent_id, block_id) do nothing`,
)

/** Does nothing where it is attached already. Throws a unique violation when the agent has a block of the same label. */
export async function attachBlockRow(
  db: Queryable,
  organizationId: string,
  agentId: string,
  blockId: string,
): Promise<void> {
  await db.query(ATTACH_BLOCK, [organizationId, agentId, blockId])
}

const DETACH_BLOCK = statement(
  'detach-block',
  'delete from agent_blocks where organization_id = $1 and agent_id = $2 and block_id = $3 returning block_id',
)

/** False where it was not attached. */
export async function detachBlockRow(
  db: Queryable,
  organizationId: string,
  agentId: string,
  blockId: string,
): Promise<boolean> {
  const rows = await db.query(DETACH_BLOCK, [organizationId, agentId, blockId])
  return rows.length > 0
}

const DETACH_OTHER_BLOCKS = statement(
  'detach-other-blocks',
  'delete from agent_blocks where organization_id = $1 and agent_id = $2 and block_id <> all($3::text[])',
)
const ATTACH_BLOCKS = statement(
  'attach-blocks',
  `insert into agent_blocks (organization_id, agent_id, block_id, label, attached_at)
   select $1, $2, b.id, b.label, ${attachedAt('given.position')} from unnest($3::text[]) with ordinality as given (id, position)
   join blocks as b on b.organization_id = $1 and b.id = given.id
   on conflict (organization_id, agent_id, block_id) do nothing`,
)

/** Attaches these blocks and no others, in two statements: a label can move from a block to another. */
export async function setAgentBlocks(
  tx: Queryable,
  organizationId: string,
  agentId: string,
  blockIds: readonly string[],
): Promise<void> {
  await tx.query(DETACH_OTHER_BLOCKS, [organizationId, agentId, blockIds])
  await tx.query(ATTACH_BLOCKS, [organizationId, agentId, blockIds])
}
