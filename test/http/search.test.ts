import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { EmbeddingError } from '#llm/embeddings/embedder.ts'
import { DEFAULT_ORGANIZATION_ID, newOrderedId } from '#platform/ids.ts'
import { findDefaultThreadId } from '#store/conversations/find-default-thread-id.ts'
import { statement } from '#store/db.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'
import { type WordEmbedder, wordEmbedder } from '../support/word-embedder.ts'

/** Searches of a server that makes vectors, by an embedder that knows a few synonyms. */

let server: TestServer
let embedders: WordEmbedder
let agentId: string
let archiveId: string
beforeAll(async () => {
  embedders = wordEmbedder()
  server = await startTestServer({ embedders })
  const made = await server.request<{ id: string }>('POST', '/v1/agents', {
    name: 'Ada',
    model: 'openai/gpt-4o-mini',
    embedding: 'openai/text-embedding-3-small',
    memory_blocks: [],
  })
  agentId = made.body.id
  for (const [text, tags] of [
    ['The cat sleeps on the sofa.', ['home']],
    ['A car drives to the harbour.', ['street']],
    ['The doctor calls at noon.', ['work']],
    ['Invoice ABC-4711 was paid.', ['work']],
  ]) {
    await server.request('POST', `/v1/agents/${agentId}/archival-memory`, { text, tags })
  }
  const archives = await server.request<{ id: string }[]>('GET', `/v1/archives?agent_id=${agentId}`)
  archiveId = archives.body[0]?.id ?? ''
  await insertTurns()
  await everythingIsEmbedded()
})
afterAll(() => server.close())

interface Status {
  model: string | null
  queued: number
  failed: number
  last_error: string | null
  is_rebuilding: boolean
}
const status = async () => (await server.request<Status>('GET', '/v1/embeddings/status')).body
const everythingIsEmbedded = () =>
  vi.waitFor(async () => expect(await status()).toMatchObject({ queued: 0, is_rebuilding: false }), {
    timeout: 20_000,
    interval: 100,
  })

const INSERT = statement(
  'test-insert-turns',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
   select $1, t.id, $2, $3, t.role, jsonb_build_array(jsonb_build_object('type', 'text', 'text', t.text)), perdure_words(t.text),
     t.at::timestamptz from jsonb_to_recordset($4::jsonb) as t (id text, role text, text text, at text) order by t.at`,
)
async function insertTurns(): Promise<void> {
  const { db } = server.context
  const thread = await findDefaultThreadId(db, DEFAULT_ORGANIZATION_ID, agentId)
  const turns = [
    ['user', 'Which animal did your sister get?', '2023-05-02T10:00:00Z'],
    ['assistant', 'Something with whiskers.', '2023-05-02T10:00:30Z'],
    ...Array.from({ length: 30 }, (_, n) => [
      n % 2 ? 'user' : 'assistant',
      `Weather report ${n}: rain.`,
      `2023-06-10T10:${n + 10}:00Z`,
    ]),
    ['user', 'My automobile broke down.', '2023-07-09T10:00:00Z'],
    ['assistant', 'That is sad.', '2023-07-09T10:00:30Z'],
  ].map(([role, text, at]) => ({ id: newOrderedId('message'), role, text, at }))
  await db.query(INSERT, [DEFAULT_ORGANIZATION_ID, agentId, thread, JSON.stringify(turns)])
}

const stateOf = async (passageId: string) =>
  (await server.request<{ embedding_state: object }>('GET', `/v1/passages/${passageId}`)).body.embedding_state

interface Relevance {
  score: number
  fts_rank: number | null
  vector_rank: number | null
  similarity: number | null
  matched_terms: string[]
  search_mode: string
}
const passages = async (body: object) => {
  const found = await server.request<
    { passage: { text: string }; score: number; metadata: { relevance: Relevance } }[]
  >('POST', '/v1/passages/search', { archive_id: archiveId, ...body })
  expect(found.status, JSON.stringify(found.body)).toBe(200)
  return found.body.map(({ passage, score, metadata }) => ({ text: passage.text, ...metadata.relevance, score }))
}
const messages = async (body: object) => {
  const found = await server.request<{ content: string; relevance: Relevance }[]>('POST', '/v1/messages/search', {
    agent_id: agentId,
    ...body,
  })
  expect(found.status, JSON.stringify(found.body)).toBe(200)
  return found.body.map(({ content, relevance }) => ({ text: content, ...relevance }))
}

describe('passages', () => {
  it('are found by what they mean, and say so', async () => {
    const [first] = await passages({ query: 'feline' })
    expect(first).toMatchObject({
      text: 'The cat sleeps on the sofa.',
      fts_rank: null,
      vector_rank: 1,
      matched_terms: [],
      search_mode: 'hybrid',
    })
    expect(first?.similarity).toBeGreaterThan(0.2)
  })

  it('are found by a word that nothing else has, whatever else means the same', async () => {
    const [first] = await passages({ query: 'was the automobile of ABC-4711 paid' })
    expect(first).toMatchObject({ text: 'Invoice ABC-4711 was paid.', fts_rank: 1 })
    expect(first?.matched_terms).toEqual(expect.arrayContaining(['ABC-4711', 'paid']))
  })

  it('are given in the order of their scores, by either signal alone too', async () => {
    for (const search_mode of ['hybrid', 'fts', 'vector']) {
      const found = await passages({ query: 'the physician calls the cat', search_mode })
      const scores = found.map(({ score }) => score)
      expect(scores).toEqual(scores.toSorted((a, b) => b - a))
      expect(new Set(found.map((one) => one.search_mode))).toEqual(new Set([search_mode]))
    }
    expect(await passages({ query: 'feline', search_mode: 'fts' })).toEqual([])
    expect((await passages({ query: 'feline', search_mode: 'vector', limit: 1 }))[0]?.text).toContain('cat')
  })

  it('of one agent are found by either signal alone too', async () => {
    const found = (query: string) =>
      server.request<{ results: { content: string; relevance: Relevance }[] }>(
        'GET',
        `/v1/agents/${agentId}/archival-memory/search?${query}`,
      )
    expect((await found('query=feline&search_mode=fts')).body.results).toEqual([])
    const [first] = (await found('query=feline&search_mode=vector')).body.results
    expect(first).toMatchObject({ content: expect.stringContaining('cat'), relevance: { search_mode: 'vector' } })
    expect((await found('query=feline&search_mode=sideways')).status).toBe(422)
  })

  it('say which words they have, without the marks of the question', async () => {
    const [first] = await passages({ query: 'Where (please) is “ABC-4711”?' })
    expect(first?.matched_terms).toEqual(['ABC-4711'])
  })

  it('are filtered before the limit, whichever signal finds them', async () => {
    expect(await passages({ query: 'feline', tags: ['work'], limit: 1 })).toMatchObject([
      { text: expect.not.stringContaining('cat') },
    ])
    expect((await passages({ query: 'feline', tags: ['home'], limit: 5 })).map(({ text }) => text)).toEqual([
      'The cat sleeps on the sofa.',
    ])
    expect(await passages({ query: 'feline', end_date: '2020-01-01', limit: 5 })).toEqual([])
  })

  it('are taken literally where words are quoted or excluded', async () => {
    expect(await passages({ query: '"feline"' })).toEqual([])
    expect((await passages({ query: 'cat car -harbour' })).map(({ text }) => text)).toEqual([
      'The cat sleeps on the sofa.',
    ])
  })

  it('of another organisation are not found', async () => {
    const { headers } = await server.addOrganization()
    expect((await server.request('POST', '/v1/passages/search', { query: 'feline' }, headers)).body).toEqual([])
    expect(
      (await server.request('POST', '/v1/messages/search', { query: 'automobile', search_mode: 'vector' }, headers))
        .body,
    ).toEqual([])
  })
})

describe('messages', () => {
  it('are found by what they mean', async () => {
    expect((await messages({ query: 'car', limit: 1 }))[0]).toMatchObject({
      text: 'My automobile broke down.',
      vector_rank: 1,
    })
    expect((await messages({ query: 'car', search_mode: 'vector', limit: 1 }))[0]?.text).toBe(
      'My automobile broke down.',
    )
  })

  it('of some roles are found', async () => {
    const all = await messages({ query: 'animal of the sister' })
    const own = await messages({ query: 'animal of the sister', roles: ['assistant'] })
    expect(all.map(({ text }) => text)).toContain('Which animal did your sister get?')
    expect(own.map(({ text }) => text)).toContain('Something with whiskers.')
    expect(own.map(({ text }) => text)).not.toContain('Which animal did your sister get?')
  })

  it('are found by the question that they answer', async () => {
    const found = await messages({ query: 'animal of the sister', limit: 2 })
    expect(found.map(({ text }) => text)).toEqual(['Which animal did your sister get?', 'Something with whiskers.'])
  })

  it('are found by the time that the query names', async () => {
    const found = await messages({ query: 'what was there in May 2023?', limit: 2 })
    expect(found.map(({ text }) => text).toSorted()).toEqual([
      'Something with whiskers.',
      'Which animal did your sister get?',
    ])
    expect((await messages({ query: 'what was there on 2023-07-09?', limit: 2 })).map(({ text }) => text)).toContain(
      'That is sad.',
    )
  })

  it('are filtered before the limit', async () => {
    const search = { query: 'car', search_mode: 'vector', limit: 2 }
    expect((await messages({ ...search, end_date: '2023-06-30' })).map(({ text }) => text)).not.toContain(
      'My automobile broke down.',
    )
    expect(await messages({ ...search, end_date: '2023-06-30' })).toHaveLength(2)
    expect((await messages({ ...search, conversation_id: 'default' }))[0]?.text).toBe('My automobile broke down.')
    expect(await messages({ ...search, conversation_id: 'conv-none' })).toEqual([])
  })
})

it('tools are found by what they do', async () => {
  const source_code =
    'def park(where: str) -> str:\n    """\n    Parks the automobile.\n\n    Args:\n        where (str): Where.\n    """\n    return where'
  await server.request('POST', '/v1/tools', { source_code })
  await everythingIsEmbedded()
  const found = await server.request<{ tool: { name: string }; vector_rank: number | null; fts_rank: number | null }[]>(
    'POST',
    '/v1/tools/search',
    { query: 'car', tool_types: ['custom'] },
  )
  expect(found.body).toMatchObject([{ tool: { name: 'park' }, vector_rank: 1, fts_rank: null }])
})

it('an embedder that is down is told of, and search goes by words meanwhile', async () => {
  let passageId = ''
  embedders.failure = new EmbeddingError('unavailable', 'the provider is down')
  try {
    const { body } = await server.request<{ id: string }[]>('POST', `/v1/agents/${agentId}/archival-memory`, {
      text: 'The zeppelin flew.',
    })
    passageId = body[0]?.id ?? ''
    expect(await stateOf(passageId)).toMatchObject({ status: 'queued', model: null })
    await expect
      .poll(status, { timeout: 10_000 })
      .toMatchObject({ queued: 1, failed: 0, last_error: 'the provider is down' })
    expect((await passages({ query: 'zeppelins' }))[0]).toMatchObject({
      text: 'The zeppelin flew.',
      search_mode: 'fts',
    })
    const refused = await server.request('POST', '/v1/passages/search', { query: 'zeppelins', search_mode: 'vector' })
    expect(refused.status).toBe(503)
  } finally {
    embedders.failure = undefined
  }
  await everythingIsEmbedded()
  expect(await stateOf(passageId)).toEqual({ status: 'embedded', model: 'test/words-384', error: null })
  expect((await passages({ query: 'zeppelins' }))[0]).toMatchObject({
    search_mode: 'hybrid',
    similarity: expect.any(Number),
  })
})

it('a model that cannot even be asked for how long its vectors are is told of, until it answers', async () => {
  const working = wordEmbedder()
  const refused = 'No vectors of ollama/none: Ollama (127.0.0.1:9) refused the connection; is it running?'
  let isDown = true
  const late: WordEmbedder = {
    ...working,
    getEmbedder: (handle) =>
      isDown ? Promise.reject(new EmbeddingError('unavailable', refused)) : working.getEmbedder(handle),
  }
  const other = await startTestServer({ embedders: late })
  const ask = async () => (await other.request<Status>('GET', '/v1/embeddings/status')).body
  try {
    await vi.waitFor(async () => expect(await ask()).toMatchObject({ model: null, last_error: refused }))
    isDown = false
    const isUp = async () => expect(await ask()).toMatchObject({ model: 'test/words-384', last_error: null })
    await vi.waitFor(isUp, { timeout: 10_000, interval: 100 })
  } finally {
    await other.close()
  }
})

it('what a fork shares is found by its meaning after its thread was reset, and there it is not', async () => {
  const made = await server.request<{ id: string }>('POST', '/v1/agents', {
    name: 'Bo',
    model: 'openai/gpt-4o-mini',
    embedding: 'openai/text-embedding-3-small',
  })
  const { db } = server.context
  const thread = await findDefaultThreadId(db, DEFAULT_ORGANIZATION_ID, made.body.id)
  const turn = {
    id: newOrderedId('message'),
    role: 'user',
    text: 'My automobile broke down.',
    at: '2026-07-09T10:00:00Z',
  }
  await db.query(INSERT, [DEFAULT_ORGANIZATION_ID, made.body.id, thread, JSON.stringify([turn])])
  await everythingIsEmbedded()
  const copy = await server.request<{ id: string }>('POST', `/v1/conversations/default/fork?agent_id=${made.body.id}`)
  expect(copy.status).toBe(200)
  const find = (conversation_id: string) =>
    messages({ agent_id: made.body.id, query: 'car', search_mode: 'vector', conversation_id })
  expect(await find(copy.body.id)).toMatchObject([{ text: turn.text }])
  expect((await server.request('PATCH', `/v1/agents/${made.body.id}/reset-messages`, {})).status).toBe(200)
  expect(await find(copy.body.id)).toMatchObject([{ text: turn.text }])
  expect(await find('default')).toEqual([])
})
