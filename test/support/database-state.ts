import { type Db, statement } from '#store/db.ts'

const listTables = statement(
  'test-list-tables',
  `select c.relname as name from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
   where n.nspname = 'public' and c.relkind in ('r', 'p') and not c.relispartition order by c.relname`,
)

/**
 * For each table its number of rows and a sum over the transactions that wrote them: equal before and after whatever wrote
 * nothing, an update included.
 */
export async function readDatabaseState(db: Db): Promise<Record<string, string>> {
  const tables = await db.query<{ name: string }>(listTables, [])
  const columns = tables.map(
    ({ name }) => `(select count(*) || ' rows, ' || coalesce(sum(xmin::text::bigint), 0) from ${name}) as ${name}`,
  )
  const read = statement('test-read-database-state', `select ${columns.join(', ')}`)
  const [state] = await db.query<Record<string, string>>(read, [])
  return state ?? {}
}

/** What must hold in every database that is not being written to; each gives the rows that break it. */
const INVARIANTS: Record<string, string> = {
  'each agent has one default conversation': `select a.id from agents as a where 1 <>
    (select count(*) from conversations as c where c.organization_id = a.organization_id and c.agent_id = a.id and c.is_default and c.deleted_at is null)`,
  "an attached block has the block's label": `select ab.agent_id, ab.label, b.label as of_block from agent_blocks as ab
    join blocks as b on b.organization_id = ab.organization_id and b.id = ab.block_id where b.label <> ab.label`,
  'passages are counted': `select a.id, a.passage_count from archives as a where a.passage_count <>
    (select count(*) from passages as p where p.organization_id = a.organization_id and p.archive_id = a.id)`,
  'texts of passages are measured': `select a.id, a.passage_bytes from archives as a where a.passage_bytes <>
    (select coalesce(sum(octet_length(p.text)), 0) from passages as p where p.organization_id = a.organization_id and p.archive_id = a.id)`,
  'tags of passages stand in both places': `select p.id from passages as p where
    (select coalesce(array_agg(distinct t collate "C" order by t collate "C"), '{}') from unnest(p.tags) as t) is distinct from
    (select coalesce(array_agg(pt.tag order by pt.tag), '{}') from passage_tags as pt
     where pt.organization_id = p.organization_id and pt.passage_id = p.id and pt.archive_id = p.archive_id)`,
  'messages are counted': `select c.id, c.message_count from conversations as c where c.message_count <>
    (select count(*) from messages as m where m.organization_id = c.organization_id and m.conversation_id = c.id)`,
  "a block's newest version is the block": `select b.id, b.version from blocks as b where not exists
    (select from block_versions as v where v.organization_id = b.organization_id and v.block_id = b.id
     and v.version = b.version and v.value = b.value and v.label = b.label)`,
  'the versions of a passage have no gap': `select p.id, p.version from passages as p where p.version - 1 <>
    (select count(*) from passage_versions as v where v.organization_id = p.organization_id and v.passage_id = p.id and v.version < p.version)`,
  'the system message is there and says what the thread does': `select c.id from conversations as c where not exists
    (select from messages as m where m.organization_id = c.organization_id and m.id = c.system_message_id
     and m.content -> 0 ->> 'text' = c.system_prompt) and c.deleted_at is null`,
  "a conversation's block has the block's label": `select cb.conversation_id, cb.label, b.label as of_block from conversation_blocks as cb
    join blocks as b on b.organization_id = cb.organization_id and b.id = cb.block_id where b.label <> cb.label`,
  'of deleted conversations only what a fork shows is left': `select m.id from messages as m
    join conversations as c on c.organization_id = m.organization_id and c.id = m.conversation_id and c.deleted_at is not null
    where not exists (select from conversation_shares as s join conversations as f on f.organization_id = s.organization_id
        and f.id = s.conversation_id and f.deleted_at is null
      where s.organization_id = m.organization_id and s.source_id = m.conversation_id and m.seq between s.from_seq and s.to_seq)`,
  'deleted conversations have no blocks and share nothing': `select c.id from conversations as c where c.deleted_at is not null and (
    exists (select from conversation_blocks as cb where cb.organization_id = c.organization_id and cb.conversation_id = c.id)
    or exists (select from conversation_shares as s where s.organization_id = c.organization_id and s.conversation_id = c.id))`,
  'runs have ended and no thread waits': `select r.id, r.status from runs as r where r.status in ('created', 'running')
    union all select c.id, 'waits' from conversations as c where c.active_run_id is not null or c.queued_run_count <> 0`,
  'each step is counted in its run and has one row in the ledger': `select r.id, r.step_count, s.steps, p.calls from runs as r
    left join (select run_id, count(*) as steps from steps group by run_id) as s on s.run_id = r.id
    left join (select run_id, count(distinct step_id) as calls, count(*) as rows from provider_calls where purpose = 'agent_step' group by run_id)
      as p on p.run_id = r.id
    where r.step_count <> coalesce(s.steps, 0) or r.step_count <> coalesce(p.calls, 0) or r.step_count <> coalesce(p.rows, 0)`,
  'the log of a run ends with its end': `select r.id, e.last_seq from runs as r join lateral (select e.last_seq, e.events from run_events as e
      where e.organization_id = r.organization_id and e.run_id = r.id order by e.first_seq desc limit 1) as e on true
    where r.completed_at is not null and e.events not like '%["end",_]]'`,
  'each call of a run that is not deleted has its result, unless a person is still asked about it': `select t.id, t.state, t.tool_name, r.status, r.stop_reason, r.error
    from tool_calls as t join runs as r on r.organization_id = t.organization_id and r.id = t.run_id
    where t.result is null and r.stop_reason is distinct from 'requires_approval'`,
}

/** The invariants that do not hold, each with the first rows that break it. */
export async function findBrokenInvariants(db: Db): Promise<string[]> {
  const broken: string[] = []
  for (const [index, [name, sql]] of Object.entries(INVARIANTS).entries()) {
    const rows = await db.query(statement(`test-invariant-${index}`, sql), [])
    if (rows.length > 0) broken.push(`${name}: ${JSON.stringify(rows.slice(0, 3))} (${rows.length} in all)`)
  }
  return broken
}
