import { afterAll, beforeAll, expect, it } from 'vitest'
import { newOrderedId } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { listContextMessages } from '#store/messages/message-reader.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { createScriptedAgent, say, TEST_ACTOR } from '../../../test/support/test-agent.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { findThread } from './load-thread.ts'
import { type Compaction, recordProviderCalls, saveCompaction } from './save-compaction.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const { organizationId } = TEST_ACTOR

async function setUp(leftOut = 2) {
  const { agentId, engine } = await createScriptedAgent(db, () => ({ text: 'Yes.' }))
  for (const text of ['one', 'two', 'three']) await say(engine, agentId, text)
  await engine.idle()
  const [{ id: conversationId } = { id: '' }] = await db.query<{ id: string }>(
    statement('test-thread', 'select id from conversations where agent_id = $1'),
    [agentId],
  )
  const read = async () => {
    const thread = await findThread(db, organizationId, conversationId)
    if (thread === undefined) throw new Error('no thread')
    return { thread, rows: await listContextMessages(db, organizationId, thread) }
  }
  const { thread, rows } = await read()
  const lastLeft = rows[leftOut - 1] as MessageRow
  const change: Compaction = {
    organizationId,
    agentId,
    conversationId,
    lease: null,
    summary: {
      id: newOrderedId('message'),
      role: 'summary',
      content: [{ type: 'text', text: 'Before.' }],
      search_text: null,
    },
    calls: [
      {
        id: newOrderedId('call'),
        purpose: 'summary',
        provider_name: 'openai',
        model_handle: 'openai/gpt-4o-mini',
        status: 'success',
        error_type: null,
        attempts: 1,
        input_tokens: 5,
        cached_input_tokens: 0,
        cache_write_tokens: 0,
        output_tokens: 1,
        reasoning_tokens: 0,
        first_token_ms: null,
        total_ms: 1,
        created_at: new Date().toISOString(),
      },
    ],
    lastLeft,
    startAt: lastLeft.created_at,
    former: { startSeq: thread.context_start_seq, summaryId: thread.summary_message_id },
    events: [],
  }
  const countCalls = async () =>
    (
      await db.query(
        statement('test-calls', `select id from provider_calls where agent_id = $1 and purpose = 'summary'`),
        [agentId],
      )
    ).length
  return { change, read, countCalls, before: rows, thread }
}

it('puts the summary before what stays, also when the statement comes twice', async () => {
  const { change, read, countCalls, before, thread } = await setUp()
  expect(await saveCompaction(db, change)).toBe('saved')
  expect(await saveCompaction(db, change)).toBe('saved')
  const after = await read()
  expect(after.rows.map(({ id }) => id)).toEqual([change.summary.id, ...before.slice(2).map(({ id }) => id)])
  expect(after.thread.message_count).toBe(thread.message_count + 1)
  expect(await countCalls()).toBe(1)
})

it('changes nothing where the context is another by now, or what was summarised is gone; the call is told', async () => {
  const { change, read, countCalls, before } = await setUp()
  const call = (id: string) => change.calls.map((row) => ({ ...row, id }))
  const stale = { ...change, former: { startSeq: 0, summaryId: 'message-other' }, calls: call('call-1') }
  expect(await saveCompaction(db, stale)).toBe('changed')
  const gone = { ...change, lastLeft: { ...change.lastLeft, id: 'message-gone' }, calls: call('call-2') }
  expect(await saveCompaction(db, gone)).toBe('changed')
  const backwards = { ...change, lastLeft: { ...change.lastLeft, seq: -1 }, calls: call('call-3') }
  expect(await saveCompaction(db, backwards)).toBe('changed')
  expect((await read()).rows).toEqual(before)
  expect(await countCalls()).toBe(3)
})

it('writes nothing at all without the lease, of another tenant, or for a thread that is gone', async () => {
  const { change, read, countCalls, before } = await setUp()
  const lease = { organizationId, runId: before[0]?.run_id ?? '', token: 1 }
  expect(await saveCompaction(db, { ...change, lease })).toBe('lost')
  expect(await saveCompaction(db, { ...change, organizationId: 'org-other' })).toBe('lost')
  expect(await saveCompaction(db, { ...change, conversationId: 'conv-gone' })).toBe('lost')
  await recordProviderCalls(db, { ...change, lease }, change.calls)
  expect((await read()).rows).toEqual(before)
  expect(await countCalls()).toBe(0)
})
