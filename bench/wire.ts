import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Pool } from 'undici'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { openDatabase } from '#store/open-database.ts'
import { freePort, startServerProcess } from '../test/support/server-process.ts'
import { createPostgresDatabase } from '../test/support/test-database.ts'
import { startTestServer } from '../test/support/test-server.ts'
import { percentile } from './load.ts'
import { concludeReport, ms, note, report } from './replicas/report.ts'

/**
 * The numbers of the wire surface, against their bars: `npm run bench:wire`. Statements are counted in process; times are those of a
 * client of a server in another process, on PostgreSQL. Figures of one run on one machine, which other work slows down.
 */
const AGENTS = 10_000
const PAGE = 50
const LISTS = 200
const READ_SECONDS = 5
const READ_CLIENTS = 32
const IMPORTS = 20
const IMPORT_BYTES = 200_000
const AGENT_FILES = fileURLToPath(new URL('../../shared/data/agent-files', import.meta.url))

const EVERYTHING = 'include=agent.blocks&include=agent.tools&include=agent.tags'
const LIST = `/v1/agents/?limit=${PAGE}&${EVERYTHING}`

const FILL = [
  statement(
    'bench-blocks',
    `insert into blocks (organization_id, id, label, value, char_limit, created_by_id)
     select $1, 'block-00000000-0000-4000-8000-' || lpad(to_hex(n * 2 + b), 12, '0'), case b when 0 then 'human' else 'persona' end,
       repeat('A line of memory. ', 20), 20000, null
     from generate_series(1, $2::integer) as n cross join generate_series(0, 1) as b`,
  ),
  statement(
    'bench-agents',
    `insert into agents (organization_id, id, name, agent_type, system, model, created_at)
     select $1, 'agent-00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'), 'Agent ' || n, 'letta_v1_agent', repeat('Instructions. ', 100),
       'perdure/demo', now() - n * interval '1 second'
     from generate_series(1, $2::integer) as n`,
  ),
  statement(
    'bench-threads',
    `insert into conversations (organization_id, id, agent_id, is_default, system_message_id, system_message_created_at, system_prompt, prompt_metadata)
     select $1, replace(a.id, 'agent-', 'conv-'), a.id, true, replace(a.id, 'agent-', 'message-'), now(), 's', '{}' from agents as a
     where a.organization_id = $1 and $2::integer > 0`,
  ),
  statement(
    'bench-agent-blocks',
    `insert into agent_blocks (organization_id, agent_id, block_id, label)
     select $1, 'agent-00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'), 'block-00000000-0000-4000-8000-' || lpad(to_hex(n * 2 + b), 12, '0'),
       case b when 0 then 'human' else 'persona' end
     from generate_series(1, $2::integer) as n cross join generate_series(0, 1) as b`,
  ),
  statement(
    'bench-agent-tools',
    `insert into agent_tools (organization_id, agent_id, tool_id)
     select $1, a.id, t.id from agents as a cross join tools as t
     where a.organization_id = $1 and t.organization_id = $1 and t.name in ('memory_insert', 'memory_replace', 'conversation_search') and $2::integer > 0`,
  ),
  statement(
    'bench-agent-tags',
    `insert into agent_tags (organization_id, agent_id, tag)
     select $1, a.id, 'tag-' || t from agents as a cross join generate_series(1, 3) as t where a.organization_id = $1 and $2::integer > 0`,
  ),
]

async function fill(db: Db): Promise<void> {
  for (const each of FILL) {
    await db.query(each, [DEFAULT_ORGANIZATION_ID, AGENTS])
    // the next one reads it
    await db.execute('analyze')
  }
}

/** Statements that a request sends, BEGIN and COMMIT among them. */
async function countStatements(): Promise<void> {
  const statements: string[] = []
  const background = /^(claim-|take-over|list-waiting|list-idle|expire-|renew-|append-run|count-waiting|list-cancelled)/
  const server = await startTestServer({
    onStatement: (name) => void (background.test(name) || statements.push(name)),
  })
  try {
    const create = { model: 'openai/gpt-4o-mini', memory_blocks: [{ label: 'human', value: '' }], tags: ['a'] }
    for (let round = 0; round < PAGE; round += 1) await server.request('POST', '/v1/agents/', create)
    statements.length = 0
    await server.request('POST', '/v1/agents/', create)
    const created = [...statements]
    report('create an agent, statements', `${created.length} (${created.join(', ')})`, '≤ 8', created.length <= 8)
    statements.length = 0
    await server.request('GET', LIST)
    const listed = statements.map((name) => name.split('#')[0])
    report(
      'list 50 agents with relations, statements',
      `${listed.length} (${listed.join(', ')})`,
      '≤ 4',
      listed.length <= 4,
    )
  } finally {
    await server.close()
  }
}

/** Milliseconds of requests that are sent one after the other. */
async function time(count: number, send: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  for (let index = 0; index < count; index += 1) {
    const startedAt = performance.now()
    await send()
    times.push(performance.now() - startedAt)
  }
  return times
}

async function get(pool: Pool, path: string): Promise<string> {
  const { statusCode, body } = await pool.request({ method: 'GET', path })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`GET ${path}: ${statusCode} ${text.slice(0, 300)}`)
  return text
}

async function measureReads(pool: Pool, what: string, path: (n: number) => string): Promise<void> {
  const until = performance.now() + READ_SECONDS * 1000
  let count = 0
  const startedAt = performance.now()
  await Promise.all(
    Array.from({ length: READ_CLIENTS }, async () => {
      while (performance.now() < until) {
        count += 1
        await get(pool, path((count % AGENTS) + 1))
      }
    }),
  )
  const perSecond = count / ((performance.now() - startedAt) / 1000)
  report(`${what}, per second, one process, ${READ_CLIENTS} clients`, perSecond.toFixed(0), '≥ 2500', perSecond >= 2500)
}

/** A sample file, with its messages repeated until it has the size of the bar. */
async function agentFile(): Promise<string> {
  const samples = (await readdir(AGENT_FILES)).filter((name) => name.endsWith('.af'))
  for (const name of samples) {
    const document = JSON.parse(await readFile(join(AGENT_FILES, name), 'utf8')) as {
      agents?: { messages: object[] }[]
    }
    const messages = document.agents?.[0]?.messages
    if (messages === undefined || messages.length < 2) continue
    const told = messages.filter((message) => 'role' in message && message.role === 'user')
    let next = messages.length
    while (JSON.stringify(document).length < IMPORT_BYTES && told.length > 0) {
      for (const message of told) messages.push({ ...message, id: `message-${next++}`, otid: null })
    }
    const text = JSON.stringify(document)
    if (text.length >= IMPORT_BYTES) return text
  }
  throw new Error(`no sample in ${AGENT_FILES} can be made ${IMPORT_BYTES} bytes long`)
}

async function measureImport(url: string): Promise<void> {
  const file = await agentFile()
  const times = await time(IMPORTS, async () => {
    const form = new FormData()
    form.set('file', new Blob([file]), 'agent.af')
    form.set('model', 'perdure/demo')
    const response = await fetch(`${url}/v1/agents/import`, { method: 'POST', body: form })
    if (!response.ok) throw new Error(`import: ${response.status} ${(await response.text()).slice(0, 500)}`)
    await response.arrayBuffer()
  })
  const p50 = percentile(times, 0.5)
  report(`import of an agent file of ${Math.round(file.length / 1000)} kB, p50`, ms(p50), '≤ 300 ms', p50 <= 300)
}

if ((process.env.TEST_DATABASE_URL ?? '') === '') {
  console.error('bench: set TEST_DATABASE_URL to a PostgreSQL with pgvector; here: eval "$(../shared/services/up)"')
  process.exit(2)
}
await countStatements()
const { url: database, remove } = await createPostgresDatabase()
try {
  const server = await startServerProcess(await freePort(), { PERDURE_DATABASE_URL: database, LOG_LEVEL: 'warn' })
  const pool = new Pool(server.url, { connections: READ_CLIENTS })
  try {
    await using db = await openDatabase({ kind: 'postgres', url: database, poolSize: 1 })
    note(`filling ${AGENTS} agents…`)
    await fill(db)
    await time(20, () => get(pool, LIST))
    const lists = await time(LISTS, () => get(pool, LIST))
    const p50 = percentile(lists, 0.5)
    report(
      `list ${PAGE} of ${AGENTS} agents with blocks, tools and tags, p50`,
      `${ms(p50)} (p99 ${ms(percentile(lists, 0.99))})`,
      '≤ 15 ms',
      p50 <= 15,
    )
    const id = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
    await measureReads(pool, 'retrieve an agent', (n) => `/v1/agents/agent-${id(n)}`)
    await measureReads(pool, 'retrieve a block', (n) => `/v1/blocks/block-${id(n * 2)}`)
    await measureImport(server.url)
  } finally {
    await pool.destroy()
    await server.stop()
  }
} finally {
  await remove()
}
process.exitCode = concludeReport()
