import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent, createTestEngine, say } from '../../test/support/test-agent.ts'
import { percentile } from '../load.ts'
import { report } from '../replicas/report.ts'

const MESSAGES = 100_000
const PASSAGES = 50_000
const PAIRS = 60
const MAX_RATIO = 1.3

const FILL_MESSAGES = statement(
  'bench-fill-messages',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
   select $1, 'message-fill-' || n, $2, c.id, case when n % 2 = 0 then 'user' else 'assistant' end,
     jsonb_build_array(jsonb_build_object('type', 'text', 'text', 'message number ' || n || ' about topic ' || n % 997)),
     perdure_words('message number ' || n || ' about topic ' || n % 997), now() - ($3::int - n) * interval '1 minute'
   from conversations as c cross join generate_series(1, $3::int) as n
   where c.organization_id = $1 and c.agent_id = $2 and c.is_default order by n`,
)
const FILL_PASSAGES = statement(
  'bench-fill-passages',
  `with archive as (
    insert into archives (organization_id, id, name, passage_count) values ($1, 'archive-fill', 'A', $3) returning id
  ), attached as (insert into agent_archives (organization_id, agent_id, archive_id) select $1, $2, archive.id from archive)
  insert into passages (organization_id, id, archive_id, text) select $1, 'passage-fill-' || n, archive.id, 'fact ' || n || ' of topic ' || n % 997
  from archive cross join generate_series(1, $3::int) as n`,
)
// the first messages of an agent and the last twenty are in context, as in the other agent
const MOVE_CONTEXT = statement(
  'bench-move-context',
  `update conversations as c set message_count = c.message_count + $3::integer, context_start_seq =
     (select m.seq from messages as m where m.organization_id = $1 and m.agent_id = $2 order by m.seq desc offset 3 limit 1),
     context_start_at = now() - interval '1 hour'
   where c.organization_id = $1 and c.agent_id = $2`,
)

/** A turn of an agent with much behind it against one with nothing, in one process, turn by turn in pairs. */
export async function measureTurnCost(db: Db): Promise<void> {
  const { registry } = scriptedModel(() => ({ text: 'Yes.' }))
  const engine = createTestEngine(db, registry)
  const [empty, full] = [await createTestAgent(db, registry), await createTestAgent(db, registry)]
  await db.query(FILL_MESSAGES, [DEFAULT_ORGANIZATION_ID, full, MESSAGES])
  await db.query(FILL_PASSAGES, [DEFAULT_ORGANIZATION_ID, full, PASSAGES])
  await db.query(MOVE_CONTEXT, [DEFAULT_ORGANIZATION_ID, full, MESSAGES])
  await db.execute('analyze')
  const time = async (agentId: string): Promise<number> => {
    const startedAt = performance.now()
    await say(engine, agentId, 'Hello?')
    return performance.now() - startedAt
  }
  const times: Record<'empty' | 'full', number[]> = { empty: [], full: [] }
  for (let pair = 0; pair < PAIRS; pair += 1) {
    times.empty.push(await time(empty))
    times.full.push(await time(full))
  }
  const ratio = percentile(times.full.slice(10), 0.5) / percentile(times.empty.slice(10), 0.5)
  const what = `a turn with ${MESSAGES} messages and ${PASSAGES} passages against one with none (${db.engine})`
  report(what, `${ratio.toFixed(2)} × (p50 of ${PAIRS - 10})`, `≤ ${MAX_RATIO} ×`, ratio <= MAX_RATIO)
}
