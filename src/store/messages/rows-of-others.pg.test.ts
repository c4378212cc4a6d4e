import { afterAll, beforeAll, expect, it } from 'vitest'
import { newId, DEFAULT_ORGANIZATION_ID as ORGANIZATION } from '#platform/ids.ts'
import { type Db, type Queryable, statement } from '#store/db.ts'
import { weighTerms } from '#store/search/weigh-terms.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { messageSource, readMessageFeatures } from './rank-messages.ts'
import { listNewestFound } from './search-messages.ts'

const BUSY_ROWS = 3_000
// as long as real ones, which decide how large indexes are
const BUSY = newId('agent')
const QUIET = newId('agent')

/** Months in which one agent alone has spoken: the planner takes every message of them for the one of any agent that is asked for. */
const FILL = `
select perdure_make_partition('messages', now() - n * interval '1 month') from generate_series(2, 5) as n;
insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
  select '${ORGANIZATION}', 'message-b' || n, '${BUSY}', 'conv-busy', 'user', '[{"type": "text", "text": "busy"}]', 'busy:1',
    now() - interval '5 months' + n * interval '3 months' / ${BUSY_ROWS}
  from generate_series(1, ${BUSY_ROWS}) as n;
insert into messages (organization_id, id, agent_id, conversation_id, role, content, search)
  select '${ORGANIZATION}', 'message-q' || n, '${QUIET}', 'conv-quiet', 'user', '[{"type": "text", "text": "quiet"}]', 'quiet:1'
  from generate_series(1, 20) as n;
analyze messages`

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
  await db.execute(FILL)
})
afterAll(() => db[Symbol.asyncDispose]())

const FORGET_PARAMETERS = statement('test-generic', `select set_config('plan_cache_mode', 'force_generic_plan', true)`)
const COUNT_READ = statement(
  'test-count-read',
  `select sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::int as count from pg_stat_xact_user_tables where relname like 'messages\\_%'`,
)

/** How many messages are looked at, by plans for any parameters, which are the ones that are kept. */
const countRowsRead = (run: (db: Queryable) => Promise<unknown>): Promise<number> =>
  db.transaction(async (tx) => {
    await tx.query(FORGET_PARAMETERS)
    await run(tx)
    const [read] = await tx.query<{ count: number }>(COUNT_READ)
    return read?.count ?? 0
  })

const quiet = { organizationId: ORGANIZATION, agentId: QUIET }
const hit = { id: 'message-q9', seq: BUSY_ROWS + 9, conversation_id: 'conv-quiet', created_at: new Date() }

const beforeRun = { runId: newId('run'), conversationId: 'conv-quiet' }

it.each<[string, (db: Queryable) => Promise<unknown>]>([
  ['weighing words', (tx) => weighTerms(tx, messageSource(quiet), ['quiet'])],
  ['what stands beside a message', (tx) => readMessageFeatures(tx, quiet, [hit], 2, [], [])],
  ['the newest messages', (tx) => listNewestFound(tx, quiet, 50)],
  ['what was said before a run', (tx) => listNewestFound(tx, { ...quiet, beforeRun }, 50)],
])('%s of one agent reads nothing of another', async (_, run) => {
  const count = await countRowsRead(run)
  expect(count).toBeGreaterThan(0)
  expect(count).toBeLessThan(BUSY_ROWS / 10)
})
