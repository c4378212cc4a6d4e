import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelError } from '#llm/model.ts'
import type { Db } from '#store/db.ts'
import { type Script, scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent, createTestEngine, readBlock, say, storedMessages } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

async function setUp(script: Script, input = {}) {
  const { registry } = scriptedModel(script)
  return { agentId: await createTestAgent(db, registry, input), engine: createTestEngine(db, registry) }
}

/** What PostgreSQL stores neither as text nor in jsonb. */
const BAD = 'a\0b\ud800c'
const CLEAN = 'ab\ufffdc'

describe('text of a model that cannot be stored', () => {
  it('is cleaned in what it thinks and says, also in the pieces that go out', async () => {
    const { agentId, engine } = await setUp(() => ({ reasoning: BAD, text: BAD }))
    const said = await say(engine, agentId, 'Hello')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', error: null })
    expect((await storedMessages(db, agentId)).at(-1)?.content).toMatchObject([
      { type: 'reasoning', reasoning: CLEAN },
      { type: 'text', text: CLEAN },
    ])
    const pieces = said.events.flatMap((event) => (event.type === 'text-delta' ? [event.text] : []))
    expect(pieces.join('').toWellFormed()).toBe(CLEAN)
  })

  it('is cleaned in names, ids and arguments of calls', async () => {
    const script: Script = (_request, index) =>
      index === 0
        ? {
            toolCalls: [
              { name: 'memory_insert', id: 'call\0_1', arguments: { label: 'human', new_string: BAD } },
              { name: 'memory_insert', arguments: `{"label": "human", "new_string": "${BAD}"}` },
              { name: BAD, arguments: BAD },
              { name: 'archival_memory_insert', arguments: { content: BAD, tags: [BAD] } },
              { name: 'memory', arguments: { [BAD]: BAD } },
            ],
          }
        : { text: 'Done.' }
    const { agentId, engine } = await setUp(script, { tools: ['archival_memory_insert'] })
    const said = await say(engine, agentId, 'Go')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 2, error: null })
    expect((await readBlock(db, agentId, 'human'))?.value).toContain(CLEAN)
    const results = said.messages.find((message) => message.role === 'tool')?.tool_returns ?? []
    expect(results.map((result) => result.status)).toEqual(['success', 'success', 'error', 'success', 'error'])
    expect(results[0]?.tool_call_id).toBe('call_1')
  })

  it('is cleaned in the words of a failure', async () => {
    const { agentId, engine } = await setUp(() => ({ error: new ModelError('bad_request', `said ${BAD}`) }))
    const said = await say(engine, agentId, 'Hello')
    expect(said.end).toMatchObject({ stopReason: 'llm_api_error', error: { message: `said ${CLEAN}` } })
  })

  it('counts tokens within what a column holds', async () => {
    const usage = { inputTokens: 1e15, outputTokens: Number.NaN, reasoningTokens: -1, cachedInputTokens: 0.5 }
    const { agentId, engine } = await setUp(() => ({ text: 'Hi.', usage }))
    const said = await say(engine, agentId, 'Hello')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', error: null })
    expect(said.end.usage).toMatchObject({ prompt_tokens: 1_000_000_000, completion_tokens: 0 })
  })
})
