import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Db, type Queryable, type Statement, statement } from '#store/db.ts'
import { listWaitingThreads, NO_CURSOR, type WaitingCursor } from '#store/runs/list-waiting-threads.ts'
import { openTestDatabase, testEngine } from '../../test/support/test-database.ts'

/** Threads that wait; on PGlite fewer, where only the answer counts. With 80 000 the look below reads as many pages: 450. */
const MANY = testEngine() === 'postgres' ? 20_000 : 2_000
const DEEP = MANY / 4

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
  await db.execute(`
insert into organizations (id, name) select o, o from unnest(array['org-crowd', 'org-deep', 'org-small']) as o;
insert into agents (organization_id, id, name, agent_type, system, model)
  select o, 'agent-1', 'n', 'letta_v1_agent', 's', 'm/x' from unnest(array['org-crowd', 'org-deep', 'org-small']) as o;
create temp table thread as
  select 'org-crowd' as org, 'conv-' || lpad(n::text, 6, '0') as id from generate_series(1, ${MANY}) as n
  union all select 'org-deep', 'conv-' || n from generate_series(1, 3) as n
  union all select 'org-small', 'conv-1';
insert into conversations (organization_id, id, agent_id, is_default, system_message_id, system_message_created_at, system_prompt, prompt_metadata)
  select org, id, 'agent-1', false, 'm', now(), 's', '{}' from thread;
insert into runs (organization_id, id, agent_id, conversation_id, status, request, queued_input)
  select 'org-crowd', 'run-' || id, 'agent-1', id, 'created', '{}', '[]' from thread where org = 'org-crowd' order by id desc;
insert into runs (organization_id, id, agent_id, conversation_id, status, request, queued_input)
  select 'org-deep', 'run-' || n, 'agent-1', 'conv-1', 'created', '{}', '[]' from generate_series(1, ${DEEP}) as n;
insert into runs (organization_id, id, agent_id, conversation_id, status, request, queued_input)
  values ('org-deep', 'run-last', 'agent-1', 'conv-2', 'created', '{}', '[]'), ('org-small', 'run-1', 'agent-1', 'conv-1', 'created', '{}', '[]');
update conversations set active_run_id = 'run-0' where organization_id = 'org-deep' and id = 'conv-1';
drop table thread;
analyze;
`)
})
afterAll(() => db[Symbol.asyncDispose]())

const idsOf = (threads: readonly { organization_id: string; conversation_id: string }[], tenant: string) =>
  threads.filter((thread) => thread.organization_id === tenant).map((thread) => thread.conversation_id)

describe('looking for threads that wait for room', () => {
  it('sees the oldest of each tenant, whatever the others have waiting', async () => {
    const { threads } = await listWaitingThreads(db, NO_CURSOR)
    const oldest = Array.from({ length: 8 }, (_, index) => `conv-${String(MANY - index).padStart(6, '0')}`)
    const crowd = threads.filter((thread) => thread.organization_id === 'org-crowd')
    crowd.sort((a, b) => a.queue_seq - b.queue_seq)
    expect(idsOf(crowd, 'org-crowd').slice(0, 8)).toEqual(oldest)
    expect(crowd.length).toBeLessThan(100)
    expect(idsOf(threads, 'org-small')).toEqual(['conv-1'])
  })

  it('sees past a long queue of one thread that is busy', async () => {
    const { threads } = await listWaitingThreads(db, NO_CURSOR)
    expect(idsOf(threads, 'org-deep')).toEqual(['conv-2'])
  })

  it('comes by every thread in time', async () => {
    let cursor: WaitingCursor = NO_CURSOR
    const seen = new Set<string>()
    for (let look = 0; look < 6; look += 1) {
      const found = await listWaitingThreads(db, cursor)
      cursor = found.cursor
      for (const id of idsOf(found.threads, 'org-crowd')) seen.add(id)
    }
    // six times 32 further on, and the 32 oldest
    expect(seen.size).toBe(7 * 32)
  })

  it.runIf(testEngine() === 'postgres')('reads a few rows, by index', async () => {
    const sent: [Statement, readonly unknown[]][] = []
    const recorder: Queryable = {
      async query(asked, params = []) {
        sent.push([asked, params])
        return []
      },
    }
    await listWaitingThreads(recorder, NO_CURSOR)
    const [[list, params] = [statement('none', ''), []]] = sent
    const rows = await db.query<{ 'QUERY PLAN': string }>(
      statement('explain-waiting', `explain (analyze, buffers, costs off) ${list.text}`),
      params,
    )
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
    expect(plan).toContain('runs_waiting')
    expect(plan).toContain('runs_queued')
    expect(plan).not.toContain('Seq Scan')
    const [, pages = ''] = /Buffers: shared hit=(\d+)/.exec(plan) ?? []
    // four pages for each probe of an index, and there are 32 of five kinds at most for each of three tenants
    expect(Number(pages)).toBeGreaterThan(0)
    expect(Number(pages)).toBeLessThan(3000)
  })
})
