import { afterAll, beforeAll, expect, it } from 'vitest'
import { createModelRegistry } from '#llm/registry.ts'
import { newOrderedId } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import type { RunEvent } from '#runs/run-events.ts'
import type { Db } from '#store/db.ts'
import type { Approval } from '#store/messages/message-row.ts'
import { type FakeProvider, startFakeProvider } from '../../test/support/fake-provider.ts'
import type { FakeReply } from '../../test/support/fake-provider-dialect.ts'
import { createTestAgent, createTestEngine, newRun, say } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

/** What the providers, which refuse every transcript that theirs would, answer in order; then that they are done. */
let plan: FakeReply[] = []
let provider: FakeProvider
let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
  provider = await startFakeProvider(() => plan.shift() ?? { text: 'Done.' })
})
afterAll(async () => {
  await provider.close()
  await db[Symbol.asyncDispose]()
})

const registry = () =>
  createModelRegistry({
    providers: ['openai', 'anthropic', 'google_ai'].map((name) => ({
      name,
      apiKey: 'key',
      baseUrl: `${provider.url}/${name === 'google_ai' ? 'v1beta' : 'v1'}`,
    })),
    openaiCompatible: [],
    firstByteTimeoutMs: 10_000,
    idleTimeoutMs: 10_000,
    logger: createLogger({ level: 'silent', format: 'json' }),
  })

const insert = { name: 'memory_insert', arguments: { label: 'human', new_string: 'x' } }
const search = { name: 'conversation_search', arguments: { query: 'x' } }

it.each(['openai/gpt-4o-mini', 'anthropic/claude-haiku-4-5', 'google_ai/gemini-2.5-flash'])(
  '%s accepts whatever approvals, denials, rules and heartbeats leave behind',
  async (model) => {
    const models = registry()
    const engine = createTestEngine(db, models)
    const present = await createTestAgent(db, models, {
      model,
      tool_rules: [{ type: 'requires_approval', tool_name: 'memory_insert' }],
    })
    plan = [{ text: 'So.', toolCalls: [search, insert, search, insert] }]
    const asked = await say(engine, present, 'Go')
    expect(asked.end.stopReason).toBe('requires_approval')
    const ids = (asked.messages.at(-1)?.tool_calls ?? []).map((call) => call.tool_call_id)
    const approvals = ids.map(
      (id, index): Approval => ({ type: 'approval', tool_call_id: id, approve: index > 0, reason: null }),
    )
    const ended = Promise.withResolvers<RunEvent>()
    const answer = { messageId: newOrderedId('message'), otid: null, approvals, messages: [] }
    await engine.start({ ...newRun(present, '', { answer }), input: [] }, (event) => {
      if (event.type === 'run-end') ended.resolve(event)
    })
    expect(await ended.promise).toMatchObject({ stopReason: 'end_turn', error: null })
    expect((await say(engine, present, 'And?')).end).toMatchObject({ stopReason: 'end_turn', error: null })

    const older = await createTestAgent(db, models, { model, agent_type: 'memgpt_agent' })
    const looks = { ...search, arguments: { query: 'x', thinking: 'Hm.', request_heartbeat: true } }
    const speaks = { name: 'send_message', arguments: { message: 'Hi.' } }
    plan = [{ toolCalls: [looks] }, { toolCalls: [{ name: 'nothing', arguments: {} }] }, { toolCalls: [speaks] }]
    expect((await say(engine, older, 'Go')).end).toMatchObject({ stopReason: 'end_turn', error: null })
    plan = [{ text: 'I wonder.' }, { toolCalls: [speaks] }]
    expect((await say(engine, older, 'And?')).end).toMatchObject({ stopReason: 'no_tool_call', error: null })
    expect((await say(engine, older, 'And?')).end).toMatchObject({ stopReason: 'end_turn', error: null })

    const ruled = await createTestAgent(db, models, {
      model,
      tool_rules: [
        { type: 'run_first', tool_name: 'conversation_search' },
        { type: 'required_before_exit', tool_name: 'memory_insert' },
      ],
    })
    plan = [{ toolCalls: [search] }, { text: 'Bye.' }, { toolCalls: [insert] }]
    expect((await say(engine, ruled, 'Go')).end).toMatchObject({ stopReason: 'end_turn', error: null, stepCount: 4 })
    expect(provider.violations).toEqual([])
  },
)
