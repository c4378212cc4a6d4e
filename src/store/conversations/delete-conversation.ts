import { type Queryable, statement } from '#store/db.ts'

/** With those that it shares messages with: two forks of one thread must not overlook each other while both go away. */
const lock = statement(
  'lock-conversation-to-delete',
  `
select c.id, c.is_default, c.active_run_id is not null or c.queued_run_count > 0 as is_busy
from conversations as c
where c.organization_id = $1 and (c.id = $2 or c.id in (select s.source_id from conversation_shares as s
    where s.organization_id = $1 and s.conversation_id = $2)) and (c.id <> $2 or (c.deleted_at is null and not c.is_default))
order by c.id
for update`,
)

export async function lockConversationToDelete(
  tx: Queryable,
  organizationId: string,
  id: string,
): Promise<'free' | 'busy' | 'unknown'> {
  const rows = await tx.query<{ id: string; is_busy: boolean }>(lock, [organizationId, id])
  const own = rows.find((row) => row.id === id)
  if (own === undefined) return 'unknown'
  return own.is_busy ? 'busy' : 'free'
}

/** True where another conversation than $2 shares the message `m`. */
const IS_SHARED = `exists (select from conversation_shares as s
    where s.organization_id = m.organization_id and s.source_id = m.conversation_id and s.conversation_id <> $2
      and m.seq between s.from_seq and s.to_seq)`

/**
 * The row stays, for what forks still share of it. What goes: its blocks, its messages that no other conversation shares, and of
 * deleted conversations what it was the last to share.
 */
const remove = statement(
  'delete-conversation',
  `
with thread as (
  update conversations as c set deleted_at = now(), updated_at = now(), last_updated_by_id = $3
  where c.organization_id = $1 and c.id = $2
  returning c.id
), own as (
  delete from blocks as b using conversation_blocks as cb
  where cb.organization_id = $1 and cb.conversation_id = $2 and b.organization_id = $1 and b.id = cb.block_id
), unshared as (
  delete from conversation_shares as s where s.organization_id = $1 and s.conversation_id = $2
  returning s.source_id, s.from_seq, s.to_seq
), gone as (
  delete from messages as m
  where m.organization_id = $1 and m.conversation_id = $2 and not ${IS_SHARED}
  returning m.conversation_id
), left_over as (
  delete from messages as m using unshared
  join conversations as c on c.organization_id = $1 and c.id = unshared.source_id and c.deleted_at is not null
  where m.organization_id = $1 and m.conversation_id = unshared.source_id
    and m.seq between unshared.from_seq and unshared.to_seq and not ${IS_SHARED}
  returning m.conversation_id
)
select g.conversation_id, count(*) as message_count from (select * from gone union all select * from left_over) as g
group by g.conversation_id`,
)

const uncount = statement(
  'uncount-messages',
  `
update conversations as c set message_count = c.message_count - n.message_count
from unnest($2::text[], $3::integer[]) as n (id, message_count)
where c.organization_id = $1 and c.id = n.id`,
)

/** Deletes a conversation that is locked and free. */
export async function deleteConversation(
  tx: Queryable,
  organizationId: string,
  id: string,
  deletedById: string,
): Promise<void> {
  const gone = await tx.query<{ conversation_id: string; message_count: number }>(remove, [
    organizationId,
    id,
    deletedById,
  ])
  const counts = gone.map((row) => row.message_count)
  await tx.query(uncount, [organizationId, gone.map((row) => row.conversation_id), counts])
}
