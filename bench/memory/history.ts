import { LOCAL_EMBEDDING } from '#llm/embeddings/local-embedding.ts'
import { StoredVectorSearch } from '#memory/search/vector-search.ts'
import { searchMessages } from '#memory/search-messages.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { ensureVectorIndex } from '#store/embeddings/vector-index.ts'
import { scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent } from '../../test/support/test-agent.ts'
import { percentile } from '../load.ts'
import { ms, note, report } from '../replicas/report.ts'
import { NOISES, prepareBases } from './fill-archives.ts'
import { loadConversations } from './locomo.ts'
import { logger, openLocalEmbedders } from './open-local.ts'

const MESSAGES = 100_000
const MONTHS = 36
const QUESTIONS = 100
const MAX_RATIO = 1.5

const MAKE_MONTHS = statement(
  'bench-make-months',
  `select perdure_make_partition('messages', now() - n * interval '1 month') from generate_series(0, $1::int) as n`,
)
const FILL = statement(
  'bench-fill-history',
  `with made as (
    select i.n, c.id as conversation_id, $2 || '-' || i.n as id, case when i.n % 2 = 0 then 'user' else 'assistant' end as role,
      b.text || ' ' || d.text as text, (b.v + x.v)::halfvec(384) as v, now() - ($3::int - i.n) * ($4::int * interval '1 month') / $3::int as at
    from conversations as c cross join generate_series(1, $3::int) as i (n)
    join bench_bases as b on b.n = (i.n::bigint * 7919) % $5 join bench_bases as d on d.n = (i.n::bigint * 104729 + 1) % $5
    join bench_noise as x on x.n = (i.n * 31) % ${NOISES}
    where c.organization_id = $1 and c.agent_id = $2 and c.is_default
  ), stored as (
    insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
    select $1, 'message-' || id, $2, conversation_id, role, jsonb_build_array(jsonb_build_object('type', 'text', 'text', text)), perdure_words(text), at
    from made order by n returning id, conversation_id, role, seq, created_at
  ), counted as (
    update conversations set message_count = message_count + $3 where organization_id = $1 and agent_id = $2 and is_default
  )
  insert into embeddings (organization_id, source_id, kind, scope_id, part_id, role, seq, created_at, model, v384)
  select $1, s.id, 'message', $2, s.conversation_id, s.role, s.seq, s.created_at, (select max(id) from embedding_models), m.v
  from stored as s join made as m on 'message-' || m.id = s.id`,
)

/** Searches of one agent's messages that came within a month, and of another's that came within years: messages of each month are a table of their own. */
export async function measureHistory(db: Db): Promise<void> {
  await using embedders = openLocalEmbedders()
  const embedder = await embedders.getEmbedder(LOCAL_EMBEDDING.handle)
  const conversations = loadConversations()
  const bases = await prepareBases(db, embedder, conversations)
  await db.query(MAKE_MONTHS, [MONTHS])
  const fill = async (months: number) => {
    const agentId = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
    await db.query(FILL, [DEFAULT_ORGANIZATION_ID, agentId, MESSAGES, months, bases])
    note(`${MESSAGES} messages of ${months} months are there`)
    return agentId
  }
  const agents = { month: await fill(1), years: await fill(MONTHS) }
  await ensureVectorIndex(db, { dimensions: 384 })
  await db.execute('vacuum (analyze) messages')
  await db.execute('vacuum (analyze) embeddings')
  const vectors = new StoredVectorSearch({ db, logger, embedders })
  const questions = conversations.flatMap((one) => one.questions.map(({ text }) => text))
  const times: Record<keyof typeof agents, number[]> = { month: [], years: [] }
  for (let n = 0; n < QUESTIONS + 10; n += 1) {
    const query = questions[(n * 37) % questions.length] ?? ''
    for (const kind of ['month', 'years'] as const) {
      const startedAt = performance.now()
      const found = await searchMessages(
        { db, vectors },
        { organizationId: DEFAULT_ORGANIZATION_ID, agentId: agents[kind], query, limit: 10 },
      )
      // the first ones load the model and the tables
      if (n >= 10) times[kind].push(performance.now() - startedAt)
      if (found.length === 0) throw new Error(`nothing found for ${query}`)
    }
  }
  const [month, years] = [percentile(times.month, 0.5), percentile(times.years, 0.5)]
  const what = `a search of ${MESSAGES} messages of ${MONTHS} months (p50 ${ms(years)}, p95 ${ms(percentile(times.years, 0.95))}) against as many of one (${ms(month)})`
  report(what, `${(years / month).toFixed(2)} ×`, `≤ ${MAX_RATIO} ×`, years / month <= MAX_RATIO)
}
