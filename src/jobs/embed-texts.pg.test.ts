import { afterEach, beforeEach, expect, test } from 'vitest'
import { removeAgent } from '#agent/remove-agent.ts'
import { EmbeddingError } from '#llm/embeddings/embedder.ts'
import { createArchive } from '#memory/create-archive.ts'
import { insertArchivePassages } from '#memory/insert-archive-passages.ts'
import { removeArchive } from '#memory/remove-archive.ts'
import { removeArchivePassage } from '#memory/remove-passage.ts'
import { StoredVectorSearch } from '#memory/search/vector-search.ts'
import { createLogger } from '#platform/logger.ts'
import { type Db, type Queryable, statement } from '#store/db.ts'
import { appointEmbeddingModel } from '#store/embeddings/embedding-models.ts'
import { claimTextsToEmbed, type EmbeddingKind, releaseTextsToEmbed } from '#store/embeddings/embedding-queue.ts'
import { readEmbeddingStatus } from '#store/embeddings/embedding-status.ts'
import { findEmbeddingState } from '#store/embeddings/find-embedding-state.ts'
import type { VectorScope } from '#store/embeddings/nearest.ts'
import { readTextsToEmbed } from '#store/embeddings/read-texts.ts'
import { messageVectorScope } from '#store/messages/message-scope.ts'
import { createScriptedAgent, say, TEST_ACTOR } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { type WordEmbedder, wordEmbedder } from '../../test/support/word-embedder.ts'
import { TextEmbedder } from './embed-texts.ts'

let db: Db
let embedders: WordEmbedder
let archiveId: string
const { organizationId } = TEST_ACTOR
const logger = createLogger({ level: 'silent', format: 'json' })
const jobOf = (over: { leaseMs?: number } = {}) => new TextEmbedder({ db, logger, embedders, minPauseMs: 1, ...over })

beforeEach(async () => {
  db = await openTestDatabase()
  embedders = wordEmbedder()
  archiveId = (await createArchive(db, TEST_ACTOR, { name: 'facts', description: null, embedding: null })).id
})
afterEach(() => db[Symbol.asyncDispose]())

const add = async (...texts: string[]): Promise<string[]> => {
  const passages = texts.map((text) => ({ text, tags: [] }))
  return (await insertArchivePassages(db, TEST_ACTOR, archiveId, passages)).map(({ id }) => id)
}
const readQueue = statement(
  'test-queue',
  'select source_id as id, kind, attempts, error from embedding_queue order by source_id',
)
const queue = (kind: EmbeddingKind = 'passage') =>
  db
    .query<{ id: string; kind: string; attempts: number; error: string | null }>(readQueue)
    .then((rows) => rows.filter((row) => row.kind === kind))
const readVectors = statement(
  'test-vectors',
  `select e.source_id as id, e.kind, m.handle, e.v384 is not null as has_384, e.v768 is not null as has_768
   from embeddings as e join embedding_models as m on m.id = e.model order by e.source_id`,
)
const vectors = (kind: EmbeddingKind = 'passage') =>
  db
    .query<{ id: string; kind: string; handle: string; has_384: boolean; has_768: boolean }>(readVectors)
    .then((rows) => rows.filter((row) => row.kind === kind))
const find = (query: string, kind: EmbeddingKind = 'passage') => findIn({ organizationId, kind }, query)
async function findIn(scope: VectorScope, query: string): Promise<string[]> {
  const search = new StoredVectorSearch({ db, logger, embedders })
  const vectors = await search.embed([query])
  return (await search.findNearest(vectors, scope, 10)).map(({ id }) => id)
}

test('a text is stored at once, and found by its meaning once it is embedded', async () => {
  await using job = jobOf()
  await job.embedDue()
  const [cat, car] = await add('The cat sleeps.', 'A car drives.')
  expect(await queue()).toHaveLength(2)
  expect(await vectors()).toEqual([])
  await job.embedDue()
  expect(await queue()).toEqual([])
  expect(await vectors()).toMatchObject([{ has_384: true, has_768: false }, { has_384: true }])
  expect(await find('feline')).toEqual([cat, car])
  expect(await find('automobile')).toEqual([car, cat])
})

test('messages of a turn are embedded, with the agent and the conversation that they are of', async () => {
  await using job = jobOf()
  await job.embedDue()
  const { agentId, engine } = await createScriptedAgent(db, () => ({ text: 'A car drives.' }))
  const { messages, runId } = await say(engine, agentId, 'The cat sleeps.')
  await job.embedDue()
  const rows = await db.query<{ id: string; scope_id: string; role: string }>(
    statement(
      'test-messages',
      "select source_id as id, scope_id, role from embeddings where kind = 'message' order by seq",
    ),
  )
  expect(rows.filter(({ scope_id }) => scope_id === agentId).map(({ role }) => role)).toEqual(['user', 'assistant'])
  const answer = messages.find(({ role }) => role === 'assistant')
  expect((await find('automobile', 'message'))?.[0]).toBe(answer?.id)
  const conversationId = messages[0]?.conversation_id ?? ''
  const before = (run: string) => ({ organizationId, agentId, beforeRun: { runId: run, conversationId } })
  const later = await say(engine, agentId, 'And the car?')
  await job.embedDue()
  expect(await findIn(messageVectorScope(before(runId)), 'cat')).toEqual([])
  expect(await findIn(messageVectorScope(before(later.runId)), 'feline')).toHaveLength(2)
  expect(await find('feline', 'message')).toHaveLength(4)
  await removeAgent(db, organizationId, agentId)
  expect(await vectors('message')).toEqual([])
})

test('of a message with pictures the text alone is read', async () => {
  const { agentId, engine } = await createScriptedAgent(db, () => ({ text: 'A car.' }))
  await say(engine, agentId, 'What is this?')
  const picture = [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(1_000_000) } }]
  const addPicture = statement(
    'test-add-picture',
    `update messages set content = content || $2::jsonb where agent_id = $1 and role = 'user' returning id, created_at`,
  )
  const [asked] = await db.query<{ id: string; created_at: Date }>(addPicture, [agentId, JSON.stringify(picture)])
  if (asked === undefined) throw new Error('nothing was asked')
  const read: unknown[] = []
  const listening: Queryable = {
    async query<Row>(...args: Parameters<Queryable['query']>) {
      const rows = await db.query<Row>(...args)
      read.push(...rows)
      return rows
    },
  }
  const claimed = {
    organization_id: organizationId,
    source_id: asked.id,
    kind: 'message',
    token: '',
    attempts: 0,
  } as const
  const texts = await readTextsToEmbed(listening, [{ ...claimed, source_created_at: asked.created_at }], 4_000)
  expect(texts).toMatchObject([{ text: 'What is this?' }])
  expect(JSON.stringify(read).length).toBeLessThan(2_000)
})

test('what was there before the first model, and the tools of the server, are embedded too', async () => {
  const { agentId, engine } = await createScriptedAgent(db, () => ({ text: 'Yes.' }))
  await say(engine, agentId, 'The cat sleeps.')
  const ids = await add(...Array.from({ length: 130 }, (_, index) => `fact ${index}`))
  expect(await queue()).toEqual([])
  await using job = jobOf()
  await job.embedDue()
  expect((await vectors()).map(({ id }) => id)).toEqual([...ids].sort())
  expect((await vectors('message')).length).toBeGreaterThanOrEqual(2)
  expect((await vectors('tool')).length).toBeGreaterThan(5)
})

test('an embedder that is down delays, and loses nothing', async () => {
  await using job = jobOf()
  await job.embedDue()
  embedders.failure = new EmbeddingError('unavailable', 'the provider is down')
  const [cat] = await add('The cat sleeps.')
  await job.embedDue()
  expect(await queue()).toMatchObject([{ id: cat, attempts: 0, error: 'the provider is down' }])
  // as it is while the next try is under way
  await db.query(statement('test-make-due', 'update embedding_queue set due_at = now()'))
  const claimed = await claimTextsToEmbed(db, 1, 60_000)
  expect(await findEmbeddingState(db, organizationId, cat ?? '')).toMatchObject({ status: 'queued' })
  expect(await readEmbeddingStatus(db, organizationId)).toMatchObject({ queued: 1, failed: 0 })
  await releaseTextsToEmbed(db, claimed, { pauseMs: 0, error: 'the provider is down', isAttempt: false })
  embedders.failure = undefined
  await expect.poll(() => job.embedDue().then(() => vectors()), { timeout: 5_000 }).toHaveLength(1)
  expect(await queue()).toEqual([])
})

test('a wrong key holds everything up, and is no fault of the texts', async () => {
  await using job = jobOf()
  await job.embedDue()
  embedders.failure = new EmbeddingError('refused', 'wrong key')
  await add('one', 'two')
  await job.embedDue()
  expect(await queue()).toMatchObject([
    { attempts: 0, error: 'wrong key' },
    { attempts: 0, error: 'wrong key' },
  ])
})

test('a text that is refused stays behind with the reason; those that came with it do not', async () => {
  await using job = jobOf()
  await job.embedDue()
  embedders.refused = 'poison'
  const [, bad] = await add('The cat sleeps.', 'poison', 'A car drives.')
  await job.embedDue()
  expect(await vectors()).toHaveLength(2)
  expect(await queue()).toMatchObject([{ id: bad, attempts: 1, error: 'the text has poison in it' }])
})

test('a text that is changed or deleted while its vector is made gets no old vector', async () => {
  await using job = jobOf()
  await job.embedDue()
  const [changed, deleted] = await add('The cat sleeps.', 'A car drives.')
  const gate = Promise.withResolvers<void>()
  embedders.gate = gate.promise
  const calls = embedders.calls.length
  const working = job.embedDue()
  await expect.poll(() => embedders.calls.length).toBe(calls + 1)
  await db.query(statement('test-change', 'update passages set text = $1 where id = $2'), ['A doctor calls.', changed])
  await removeArchivePassage(db, organizationId, archiveId, deleted ?? '')
  gate.resolve()
  await working
  expect(await vectors()).toMatchObject([{ id: changed }])
  expect(embedders.calls.at(-1)).toEqual(['A doctor calls.'])
  expect(await find('physician')).toEqual([changed])
})

test('vectors go with their passages, archives and tools', async () => {
  await using job = jobOf()
  await add('The cat sleeps.')
  await job.embedDue()
  await removeArchive(db, organizationId, archiveId)
  expect(await vectors()).toEqual([])
})

test('another model makes everything anew, and no search fails meanwhile', async () => {
  const [cat, car] = await add('The cat sleeps.', 'A car drives.')
  {
    await using job = jobOf()
    await job.embedDue()
  }
  embedders.defaultHandle = 'test/words-768'
  embedders.refused = 'car'
  await using job = jobOf()
  await job.embedDue()
  // one by the new model, one by the old: both are found
  expect((await vectors()).map(({ handle }) => handle).sort()).toEqual(['test/words-384', 'test/words-768'])
  expect((await find('feline'))?.[0]).toBe(cat)
  expect(await find('automobile')).toContain(car)
  embedders.refused = undefined
  await db.query(statement('test-due', 'update embedding_queue set due_at = now()'))
  await job.embedDue()
  expect(await vectors()).toMatchObject([{ handle: 'test/words-768' }, { handle: 'test/words-768' }])
  expect(await find('automobile')).toEqual([car, cat])
})

test('a process that dies at it is followed by another one', async () => {
  await using job = jobOf({ leaseMs: 50 })
  await job.embedDue()
  await add('The cat sleeps.')
  embedders.gate = new Promise(() => {})
  void job.embedDue()
  await expect.poll(async () => (await queue()).map(({ attempts }) => attempts)).toEqual([1])
  embedders.gate = undefined
  await using other = jobOf()
  await expect.poll(() => other.embedDue().then(() => vectors()), { timeout: 5_000 }).toHaveLength(1)
})

test('two processes share the work, and do nothing twice', async () => {
  const ids = await add(...Array.from({ length: 300 }, (_, index) => `fact number ${index}`))
  await using one = jobOf()
  await using two = jobOf()
  await Promise.all([one.embedDue(), two.embedDue()])
  await Promise.all([one.embedDue(), two.embedDue()])
  expect(await vectors()).toHaveLength(ids.length)
  const made = embedders.calls.flat().filter((text) => text.startsWith('fact number'))
  expect(made).toHaveLength(ids.length)
})

test('switched off, nothing is queued', async () => {
  embedders.defaultHandle = undefined
  await using job = jobOf()
  await job.embedDue()
  await add('The cat sleeps.')
  expect(await queue()).toEqual([])
  expect(await find('cat')).toEqual([])
})

test('a process that is at it with the model of before gives nothing back to it', async () => {
  const ids = await add(...Array.from({ length: 200 }, (_, index) => `fact number ${index}`))
  await using before = jobOf()
  await before.embedDue()
  await add('The cat sleeps.')
  const gate = Promise.withResolvers<void>()
  embedders.gate = gate.promise
  const calls = embedders.calls.length
  const working = before.embedDue()
  await expect.poll(() => embedders.calls.length).toBe(calls + 1)
  embedders.gate = undefined
  // another replica starts with another model, and has gone through everything
  const after = { ...embedders, defaultHandle: 'test/words-768' }
  await using job = new TextEmbedder({ db, logger, embedders: after, minPauseMs: 1 })
  await job.embedDue()
  gate.resolve()
  await working
  await job.embedDue()
  expect(await queue()).toEqual([])
  const made = await vectors()
  expect(made).toHaveLength(ids.length + 1)
  expect(new Set(made.map(({ handle }) => handle))).toEqual(new Set(['test/words-768']))
})

test('a process that works through a long queue goes over to another model', async () => {
  await using before = jobOf()
  await before.embedDue()
  await add(...Array.from({ length: 300 }, (_, index) => `fact number ${index}`))
  const gate = Promise.withResolvers<void>()
  embedders.gate = gate.promise
  const calls = embedders.calls.length
  const working = before.embedDue()
  await expect.poll(() => embedders.calls.length).toBe(calls + 1)
  await db.transaction((tx) => appointEmbeddingModel(tx, { handle: 'test/words-768', dimensions: 768 }))
  gate.resolve()
  await working
  const made = await vectors()
  expect(made).toHaveLength(300)
  expect(new Set(made.map(({ handle }) => handle))).toEqual(new Set(['test/words-768']))
})

test('vectors of another length by the same model are made anew, and take the place of those before', async () => {
  const [cat, car] = await add('The cat sleeps.', 'A car drives.')
  const swapped = (dimensions: number) => ({
    defaultHandle: 'lab/swapped',
    getEmbedder: async () => ({ ...(await embedders.getEmbedder(`lab/swapped-${dimensions}`)), handle: 'lab/swapped' }),
  })
  {
    await using job = new TextEmbedder({ db, logger, embedders: swapped(384), minPauseMs: 1 })
    await job.embedDue()
  }
  expect(await vectors()).toMatchObject([{ has_384: true }, { has_384: true }])
  const search = new StoredVectorSearch({ db, logger, embedders: swapped(768) })
  // the server has not told the database yet: no search fails
  expect(await search.embed(['feline'])).toEqual([])
  await using job = new TextEmbedder({ db, logger, embedders: swapped(768), minPauseMs: 1 })
  await job.embedDue()
  expect(await vectors()).toMatchObject([
    { has_384: false, has_768: true },
    { has_384: false, has_768: true },
  ])
  const later = new StoredVectorSearch({ db, logger, embedders: swapped(768) })
  const found = await later.findNearest(await later.embed(['feline']), { organizationId, kind: 'passage' }, 10)
  expect(found.map(({ id }) => id)).toEqual([cat, car])
})

test('a text that is changed while vectors are switched off has no old one', async () => {
  const [changed] = await add('The cat sleeps.', 'A car drives.')
  {
    await using job = jobOf()
    await job.embedDue()
  }
  {
    await using job = new TextEmbedder({ db, logger, embedders: { ...embedders, defaultHandle: undefined } })
    await job.embedDue()
  }
  await db.query(statement('test-change', 'update passages set text = $1 where id = $2'), ['A doctor calls.', changed])
  expect(await vectors()).toHaveLength(1)
  await using job = jobOf()
  await job.embedDue()
  expect(await vectors()).toHaveLength(2)
  expect((await find('physician'))[0]).toBe(changed)
})

test('a text is made anew that differs in words alone that searches leave out', async () => {
  await using job = jobOf()
  const [changed] = await add('He is now here.')
  await job.embedDue()
  await db.query(statement('test-change', 'update passages set text = $1 where id = $2'), ['He is not here.', changed])
  expect(await queue()).toHaveLength(1)
})

test('a text at which the embedder stumbles does not hold up those that came with it', async () => {
  await using job = jobOf()
  await job.embedDue()
  embedders.broken = 'poison'
  const [, bad] = await add('The cat sleeps.', 'poison', 'A car drives.')
  await job.embedDue()
  expect(await vectors()).toHaveLength(2)
  expect(await queue()).toMatchObject([{ id: bad, attempts: 1, error: 'status 500' }])
})

test('two forms of a query are not taken for one of two lines', async () => {
  await using job = jobOf()
  await job.embedDue()
  const search = new StoredVectorSearch({ db, logger, embedders })
  await search.embed(['the cat', 'a car'])
  const calls = embedders.calls.length
  await search.embed(['the cat\na car'])
  expect(embedders.calls.slice(calls)).toEqual([['the cat\na car']])
})
