import { attachedAt } from '#store/agents/attached-at.ts'
import { type Queryable, statement } from '#store/db.ts'
import type { GroupManager } from './group-row.ts'

export interface GroupToWrite extends GroupManager {
  id: string
  project_id: string | null
  description: string
  hidden: boolean | null
  template_id?: string | null
  base_template_id?: string | null
  deployment_id?: string | null
}

const INSERT_GROUP = statement(
  'insert-group',
  `insert into groups (organization_id, id, project_id, manager_type, description, manager_agent_id, termination_token, max_turns,
     sleeptime_agent_frequency, turns_counter, max_message_buffer_length, min_message_buffer_length, hidden, template_id,
     base_template_id, deployment_id, created_by_id, last_updated_by_id)
   select $1, n.id, n.project_id, n.manager_type, n.description, n.manager_agent_id, n.termination_token, n.max_turns,
     n.sleeptime_agent_frequency, case when n.manager_type in ('sleeptime', 'voice_sleeptime') then 0 end,
     n.max_message_buffer_length, n.min_message_buffer_length, n.hidden, n.template_id, n.base_template_id, n.deployment_id, $3, $3
   from jsonb_to_record($2::jsonb) as n (id text, project_id text, manager_type text, description text, manager_agent_id text,
     termination_token text, max_turns integer, sleeptime_agent_frequency integer, max_message_buffer_length integer,
     min_message_buffer_length integer, hidden boolean, template_id text, base_template_id text, deployment_id text)`,
)

/** Throws a unique violation where a group works behind the manager already, a foreign key violation where the manager is gone. */
export async function insertGroup(
  db: Queryable,
  organizationId: string,
  group: GroupToWrite,
  userId: string,
): Promise<void> {
  await db.query(INSERT_GROUP, [organizationId, JSON.stringify(group), userId])
}

const LOCK_GROUP = statement(
  'lock-group',
  `select g.id, g.project_id, g.manager_type, g.description, g.manager_agent_id, g.termination_token, g.max_turns,
     g.sleeptime_agent_frequency, g.max_message_buffer_length, g.min_message_buffer_length, g.hidden
   from groups as g where g.organization_id = $1 and g.id = $2 for update`,
)

/** The group's row, locked until the end of the transaction. */
export async function lockGroup(tx: Queryable, organizationId: string, id: string): Promise<GroupToWrite | undefined> {
  const [row] = await tx.query<GroupToWrite>(LOCK_GROUP, [organizationId, id])
  return row
}

const UPDATE_GROUP = statement(
  'update-group',
  `update groups as g set project_id = n.project_id, manager_type = n.manager_type, description = n.description,
     manager_agent_id = n.manager_agent_id, termination_token = n.termination_token, max_turns = n.max_turns,
     sleeptime_agent_frequency = n.sleeptime_agent_frequency, max_message_buffer_length = n.max_message_buffer_length,
     min_message_buffer_length = n.min_message_buffer_length, hidden = n.hidden,
     turns_counter = case when n.manager_type in ('sleeptime', 'voice_sleeptime') then coalesce(g.turns_counter, 0) end,
     last_updated_by_id = $3, updated_at = now()
   from jsonb_to_record($2::jsonb) as n (id text, project_id text, manager_type text, description text, manager_agent_id text,
     termination_token text, max_turns integer, sleeptime_agent_frequency integer, max_message_buffer_length integer,
     min_message_buffer_length integer, hidden boolean)
   where g.organization_id = $1 and g.id = n.id`,
)

/** Throws what `insertGroup` throws. */
export async function updateGroup(
  tx: Queryable,
  organizationId: string,
  group: GroupToWrite,
  userId: string,
): Promise<void> {
  await tx.query(UPDATE_GROUP, [organizationId, JSON.stringify(group), userId])
}

const DELETE_GROUP = statement('delete-group', 'delete from groups where organization_id = $1 and id = $2 returning id')

/** Its agents and blocks stay. False where there is none. */
export async function deleteGroup(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  return (await db.query(DELETE_GROUP, [organizationId, id])).length > 0
}

/** The statement that lets a group have these, in this order, and no others. */
const setMembers = (name: string, table: string, member: string) =>
  statement(
    name,
    `with removed as (
      delete from ${table} as g where g.organization_id = $1 and g.group_id = $2 and g.${member} <> all($3::text[])
    )
    insert into ${table} (organization_id, group_id, ${member}, position)
    select $1, $2, given.id, given.position from unnest($3::text[]) with ordinality as given (id, position)
    on conflict (organization_id, group_id, ${member}) do update set position = excluded.position`,
  )

const SET_AGENTS = setMembers('set-group-agents', 'group_agents', 'agent_id')
const SET_BLOCKS = setMembers('set-group-blocks', 'group_blocks', 'block_id')

/** These members in this order, and no others. Throws a foreign key violation where one is gone. */
export async function setGroupAgents(
  tx: Queryable,
  organizationId: string,
  groupId: string,
  agentIds: readonly string[],
): Promise<void> {
  await tx.query(SET_AGENTS, [organizationId, groupId, agentIds])
}

/** These shared blocks and no others. */
export async function setGroupBlocks(
  tx: Queryable,
  organizationId: string,
  groupId: string,
  blockIds: readonly string[],
): Promise<void> {
  await tx.query(SET_BLOCKS, [organizationId, groupId, blockIds])
}

const ATTACH_TO_AGENTS = statement(
  'attach-blocks-to-agents',
  `insert into agent_blocks (organization_id, agent_id, block_id, label, attached_at)
   select $1, a.id, b.id, b.label, ${attachedAt('given.position')}
   from unnest($3::text[]) with ordinality as given (id, position)
   join blocks as b on b.organization_id = $1 and b.id = given.id
   join agents as a on a.organization_id = $1 and a.id = any($2::text[])
   on conflict (organization_id, agent_id, block_id) do nothing`,
)

/** Gives blocks to several agents; throws a unique violation where one of them has another block of the label. */
export async function attachBlocksToAgents(
  tx: Queryable,
  organizationId: string,
  agentIds: readonly string[],
  blockIds: readonly string[],
): Promise<void> {
  await tx.query(ATTACH_TO_AGENTS, [organizationId, agentIds, blockIds])
}

const DETACH_FROM_AGENTS = statement(
  'detach-block-from-agents',
  'delete from agent_blocks where organization_id = $1 and block_id = $3 and agent_id = any($2::text[])',
)

/** Takes a block from several agents. */
export async function detachBlockFromAgents(
  tx: Queryable,
  organizationId: string,
  agentIds: readonly string[],
  blockId: string,
): Promise<void> {
  await tx.query(DETACH_FROM_AGENTS, [organizationId, agentIds, blockId])
}

const DISABLE_SLEEPTIME = statement(
  'disable-sleeptime',
  'update agents set enable_sleeptime = false, updated_at = now() where organization_id = $1 and id = $2',
)

/** The agent has nobody behind it any more. */
export async function disableSleeptime(tx: Queryable, organizationId: string, agentId: string): Promise<void> {
  await tx.query(DISABLE_SLEEPTIME, [organizationId, agentId])
}

const LIST_COMPANIONS = statement(
  'list-companions',
  `select ga.agent_id as id from groups as g
   join group_agents as ga on ga.organization_id = g.organization_id and ga.group_id = g.id
   join agents as a on a.organization_id = ga.organization_id and a.id = ga.agent_id
   where g.organization_id = $1 and g.manager_agent_id = $2 and g.manager_type in ('sleeptime', 'voice_sleeptime')
     and a.agent_type in ('sleeptime_agent', 'voice_sleeptime_agent')`,
)

/** The agents that work behind this one. */
export async function listCompanions(db: Queryable, organizationId: string, agentId: string): Promise<string[]> {
  return (await db.query<{ id: string }>(LIST_COMPANIONS, [organizationId, agentId])).map((row) => row.id)
}

const LIST_OWN_COMPANIONS = statement(
  'list-own-companions',
  `select ga.agent_id as id from groups as g
   join group_agents as ga on ga.organization_id = g.organization_id and ga.group_id = g.id
   join agents as a on a.organization_id = ga.organization_id and a.id = ga.agent_id
   where g.organization_id = $1 and g.manager_agent_id = $2 and g.manager_type in ('sleeptime', 'voice_sleeptime')
     and a.agent_type in ('sleeptime_agent', 'voice_sleeptime_agent')
     and not exists (select from group_agents as o
       where o.organization_id = ga.organization_id and o.agent_id = ga.agent_id and o.group_id <> ga.group_id)`,
)

/** Those of them that work for nobody else, and go with it. */
export async function listOwnCompanions(db: Queryable, organizationId: string, agentId: string): Promise<string[]> {
  return (await db.query<{ id: string }>(LIST_OWN_COMPANIONS, [organizationId, agentId])).map((row) => row.id)
}
