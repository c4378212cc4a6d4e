import { TextEmbedder } from '#jobs/embed-texts.ts'
import { StoredVectorSearch, type VectorSearch } from '#memory/search/vector-search.ts'
import { searchMessages } from '#memory/search-messages.ts'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { findDefaultThreadId } from '#store/conversations/find-default-thread-id.ts'
import { type Db, statement } from '#store/db.ts'
import { scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent } from '../../test/support/test-agent.ts'
import { note, report } from '../replicas/report.ts'
import { type Conversation, loadConversations } from './locomo.ts'
import { logger, openLocalEmbedders } from './open-local.ts'

/**
 * How much of what was said a search finds. LoCoMo's conversations, each an agent of its own, each turn a message; recall@k is the mean share of a
 * question's evidence among the first k results, of sessions among the first k sessions in the order of their best turn. Tuned on these files.
 */
const TUNED = ['26.json', '30.json', '41.json']
const CUTS = [10, 20, 50] as const
const BARS = { 10: 0.78, 20: 0.85, 50: 0.91 }
const SESSION_BAR = 0.95

const INSERT = statement(
  'bench-insert-turns',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
   select $1, t.id, $2, $3, t.role, jsonb_build_array(jsonb_build_object('type', 'text', 'text', t.text)), perdure_words(t.text), t.at
   from jsonb_to_recordset($4::jsonb) as t (id text, role text, text text, at timestamptz) order by t.at`,
)
const COUNT = statement(
  'bench-count-turns',
  'update conversations set message_count = message_count + $3 where organization_id = $1 and id = $2',
)

interface Memory {
  db: Db
  vectors: VectorSearch
  job: TextEmbedder
}

async function measureConversation({ db, vectors, job }: Memory, { turns, questions, name }: Conversation) {
  const agentId = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
  const thread = await findDefaultThreadId(db, DEFAULT_ORGANIZATION_ID, agentId)
  const ids = new Map(turns.map(({ id }) => [newOrderedId('message'), id]))
  const byTurn = new Map([...ids].map(([id, turn]) => [turn, id]))
  const rows = turns.map(({ id, text, speaker, at }) => ({
    id: byTurn.get(id),
    role: speaker === turns[0]?.speaker ? 'user' : 'assistant',
    text: `${speaker}: ${text}`,
    at,
  }))
  await db.query(INSERT, [DEFAULT_ORGANIZATION_ID, agentId, thread, JSON.stringify(rows)])
  await db.query(COUNT, [DEFAULT_ORGANIZATION_ID, thread, rows.length])
  await job.embedDue()
  const sums = { 10: 0, 20: 0, 50: 0 }
  let sessions = 0
  for (const { text, evidence } of questions) {
    const search = {
      organizationId: DEFAULT_ORGANIZATION_ID,
      agentId,
      query: text,
      roles: ['user', 'assistant'],
      limit: 50,
    }
    const found = await searchMessages({ db, vectors }, search)
    const order = found.map(({ id }) => ids.get(id) ?? '')
    for (const cut of CUTS) sums[cut] += shareOf(evidence, order.slice(0, cut))
    const session = (turn: string) => turn.split(':')[0] ?? ''
    const bestSessions = [...new Set(order.map(session))].slice(0, 10)
    sessions += shareOf([...new Set(evidence.map(session))], bestSessions)
  }
  return { name, count: questions.length, sums, sessions }
}

const shareOf = (wanted: readonly string[], found: readonly string[]): number =>
  wanted.filter((one) => found.includes(one)).length / wanted.length

export async function measureRecall(db: Db): Promise<void> {
  await using embedders = openLocalEmbedders()
  await using job = new TextEmbedder({ db, logger, embedders })
  const vectors = new StoredVectorSearch({ db, logger, embedders })
  // what is written from now on is queued
  await job.embedDue()
  const results: Awaited<ReturnType<typeof measureConversation>>[] = []
  for (const one of loadConversations()) results.push(await measureConversation({ db, vectors, job }, one))
  for (const [half, files] of [
    ['tuned on', results.filter(({ name }) => TUNED.includes(name))],
    ['not tuned on', results.filter(({ name }) => !TUNED.includes(name))],
    ['all', results],
  ] as const) {
    const count = files.reduce((sum, one) => sum + one.count, 0)
    const mean = (value: (one: (typeof results)[number]) => number) =>
      files.reduce((sum, one) => sum + value(one), 0) / count
    for (const cut of CUTS)
      tell(
        half,
        `turn recall@${cut}`,
        mean(({ sums }) => sums[cut]),
        BARS[cut],
      )
    tell(
      half,
      'session recall@10',
      mean(({ sessions }) => sessions),
      SESSION_BAR,
    )
  }
}

function tell(half: string, what: string, recall: number, bar: number): void {
  if (half === 'all') report(what, recall.toFixed(3), `≥ ${bar}`, recall >= bar)
  else note(`${what}, conversations ${half}: ${recall.toFixed(3)}`)
}
