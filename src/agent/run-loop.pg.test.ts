import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelError } from '#llm/model.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { type Db, statement } from '#store/db.ts'
import { type Script, scriptedModel } from '../../test/support/scripted-model.ts'
import {
  createScriptedAgent,
  createTestAgent,
  createTestEngine,
  newRun,
  readBlock,
  say,
  storedMessages,
} from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const insertName = { name: 'memory_insert', arguments: { label: 'human', new_string: 'Name: Nils' } }

const setUp = (script: Script, input = {}) => createScriptedAgent(db, script, input)

const roles = async (agentId: string) => (await storedMessages(db, agentId)).map((message) => message.role)

describe('a turn', () => {
  it('answers, and stores what was said in order', async () => {
    const { agentId, engine } = await setUp(() => ({ reasoning: 'Hm.', text: 'Hello you.' }))
    const said = await say(engine, agentId, 'Hello')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 1, error: null })
    expect(said.end.usage).toMatchObject({ prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 })
    expect(await roles(agentId)).toEqual(['system', 'user', 'assistant'])
    const [, , answer] = await storedMessages(db, agentId)
    expect(answer?.content).toEqual([
      { type: 'reasoning', reasoning: 'Hm.', signature: 'signed' },
      { type: 'text', text: 'Hello you.' },
    ])
    const kinds = said.events.map((event) => event.type)
    expect(kinds).toEqual(['run-start', 'reasoning-delta', 'text-delta', 'text-delta', 'message', 'run-end'])
  })

  it('edits memory, shows the new prompt at the next turn, and keeps it to the byte between edits', async () => {
    const { agentId, engine, requests } = await setUp((_request, index) =>
      index === 0 ? { toolCalls: [insertName] } : { text: 'Noted.' },
    )
    await say(engine, agentId, 'My name is Nils')
    expect(await readBlock(db, agentId, 'human')).toEqual({ value: 'Name: Nils', version: 2 })
    expect(await roles(agentId)).toEqual(['system', 'user', 'assistant', 'tool', 'assistant'])
    await say(engine, agentId, 'And now?')
    await say(engine, agentId, 'And now again?')
    const prompts = requests.map(({ messages: [system] }) => (system?.role === 'system' ? system.text : ''))
    expect(prompts).toHaveLength(4)
    expect(prompts[1]).toBe(prompts[0])
    expect(prompts[0]).not.toContain('Name: Nils')
    expect(prompts[2]).toContain('Name: Nils')
    expect(prompts[3]).toBe(prompts[2])
    const [system] = await storedMessages(db, agentId)
    expect(system?.content).toEqual([{ type: 'text', text: prompts[2] }])
  })

  it('executes parallel calls in order with one result each', async () => {
    const { agentId, engine } = await setUp((_request, index) =>
      index === 0
        ? {
            text: 'Let me see.',
            toolCalls: [
              { name: 'memory_insert', arguments: { label: 'human', new_string: 'one' } },
              { name: 'memory_insert', arguments: { label: 'human', new_string: 'two' } },
              { name: 'conversation_search', arguments: { query: 'anything' } },
            ],
          }
        : { text: 'Done.' },
    )
    const said = await say(engine, agentId, 'Go')
    expect(said.end.stepCount).toBe(2)
    expect(await readBlock(db, agentId, 'human')).toEqual({ value: 'one\ntwo', version: 3 })
    const tool = said.messages.find((message) => message.role === 'tool')
    expect(tool?.tool_returns?.map((result) => result.name)).toEqual([
      'memory_insert',
      'memory_insert',
      'conversation_search',
    ])
  })

  it('gives what the model can mend back to it: unknown tool, broken JSON, wrong arguments', async () => {
    const { agentId, engine } = await setUp((_request, index) =>
      index === 0
        ? {
            toolCalls: [
              { name: 'no_such_tool', arguments: {} },
              { name: 'memory_insert', arguments: '{"label": "human", "new_string": "unclosed' },
              { name: 'memory_insert', arguments: { label: ['human'], new_string: 'x' } },
              { name: 'memory_replace', arguments: { label: 'nobody', old_string: 'a', new_string: 'b' } },
            ],
          }
        : { text: 'I see.' },
    )
    const said = await say(engine, agentId, 'Go')
    const results = said.messages.find((message) => message.role === 'tool')?.tool_returns ?? []
    expect(results.map((result) => result.status)).toEqual(['error', 'success', 'error', 'error'])
    expect(results[0]?.text).toContain('no tool `no_such_tool`')
    expect(results[2]?.text).toContain('label must be string')
    expect(results[3]?.text).toContain('does not exist. Existing blocks: human, persona')
    expect(said.end.stopReason).toBe('end_turn')
  })

  it('stops at max_steps, and at an exit rule', async () => {
    const loop: Script = () => ({ toolCalls: [{ name: 'conversation_search', arguments: { query: 'x' } }] })
    const one = await setUp(loop)
    expect((await say(one.engine, one.agentId, 'Go', { maxSteps: 3 })).end).toMatchObject({
      stopReason: 'max_steps',
      stepCount: 3,
    })
    const two = await setUp(loop, { tool_rules: [{ type: 'exit_loop', tool_name: 'conversation_search' }] })
    expect((await say(two.engine, two.agentId, 'Go')).end).toMatchObject({ stopReason: 'tool_rule', stepCount: 1 })
  })

  it('ends a turn with an empty reply without storing one, and a cut reply without its half calls', async () => {
    const empty = await setUp(() => ({}))
    expect((await say(empty.engine, empty.agentId, 'Go')).end.stopReason).toBe('end_turn')
    expect(await roles(empty.agentId)).toEqual(['system', 'user'])
    const cut = await setUp(() => ({ text: 'I beg', toolCalls: [insertName], finishReason: 'length' }))
    expect((await say(cut.engine, cut.agentId, 'Go')).end.stopReason).toBe('max_tokens_exceeded')
    expect(await roles(cut.agentId)).toEqual(['system', 'user', 'assistant'])
  })

  it('keeps what the user said when the model fails, with its words in the run and the ledger', async () => {
    let isBroken = true
    const { agentId, engine } = await setUp(() =>
      isBroken
        ? { error: new ModelError('rate_limit', 'openai: slow down', { status: 429 }) }
        : { text: 'Back again.' },
    )
    const said = await say(engine, agentId, 'Are you there?')
    expect(said.end).toMatchObject({
      stopReason: 'llm_api_error',
      error: { type: 'llm_rate_limit', message: 'openai: slow down' },
    })
    const [run] = await db.query<{ status: string; error: object }>(
      statement('test-run', 'select status, error from runs where id = $1'),
      [said.runId],
    )
    expect(run).toMatchObject({ status: 'failed', error: { type: 'llm_rate_limit', message: 'openai: slow down' } })
    isBroken = false
    expect((await say(engine, agentId, 'And now?')).end.stopReason).toBe('end_turn')
    expect(await roles(agentId)).toEqual(['system', 'user', 'user', 'assistant'])
  })

  it('fails a run whose model is not configured, and the agent goes on', async () => {
    const { agentId, engine } = await setUp(() => ({ text: 'Hi.' }))
    const said = await say(engine, agentId, 'Hello', { overrideModel: 'nobody/nothing' })
    expect(said.end).toMatchObject({ stopReason: 'llm_api_error', stepCount: 0 })
    expect(said.end.error?.message).toContain('nobody/nothing')
    expect((await say(engine, agentId, 'Hello')).end.stopReason).toBe('end_turn')
  })

  it('writes one step and one ledger row for each model call', async () => {
    const { agentId, engine } = await setUp((_request, index) =>
      index === 0 ? { toolCalls: [insertName] } : { text: 'Ok.' },
    )
    const said = await say(engine, agentId, 'Go')
    const steps = await db.query<{ step_index: number; status: string }>(
      statement('test-steps', 'select step_index, status from steps where run_id = $1 order by step_index'),
      [said.runId],
    )
    expect(steps).toEqual([
      { step_index: 1, status: 'success' },
      { step_index: 2, status: 'success' },
    ])
    const calls = await db.query<{ input_tokens: number; output_tokens: number }>(
      statement('test-ledger', 'select input_tokens, output_tokens from provider_calls where run_id = $1'),
      [said.runId],
    )
    expect(calls).toEqual([
      { input_tokens: 100, output_tokens: 10 },
      { input_tokens: 100, output_tokens: 10 },
    ])
  })
})

describe('a context that is too long', () => {
  it('leaves out old turns, keeps them searchable, and answers', async () => {
    const words = 'word '.repeat(600)
    const { agentId, engine, requests } = await setUp(() => ({ text: words }), { context_window_limit: 8000 })
    for (let turn = 0; turn < 12; turn += 1) {
      expect((await say(engine, agentId, `turn ${turn} ${turn === 0 ? 'zanzibar' : ''} ${words}`)).end.stopReason).toBe(
        'end_turn',
      )
    }
    const sizes = requests.map(({ messages }) => JSON.stringify(messages).length / 5)
    expect(Math.max(...sizes)).toBeLessThan(8000 * 1.1)
    expect(requests.at(-1)?.messages.length).toBeLessThan(12)
    const stored = await storedMessages(db, agentId)
    expect(stored.filter(({ role }) => role !== 'summary')).toHaveLength(25)
  })

  it('answers although one message alone is longer than the window', async () => {
    const { agentId, engine, requests } = await setUp(() => ({ text: 'Long.' }), { context_window_limit: 8000 })
    expect((await say(engine, agentId, 'x'.repeat(1_000_000))).end.stopReason).toBe('end_turn')
    expect(JSON.stringify(requests[0]?.messages)).toContain('characters left out')
    expect(JSON.stringify(requests[0]?.messages).length).toBeLessThan(60_000)
  })

  it('cuts further when the provider counts more tokens than we do', async () => {
    const limit = 4000
    const { agentId, engine } = await setUp(({ messages }) =>
      JSON.stringify(messages.slice(1)).length > limit * 4
        ? { error: new ModelError('context_window_exceeded', 'too long') }
        : { text: 'word '.repeat(400) },
    )
    for (let turn = 0; turn < 12; turn += 1) {
      expect((await say(engine, agentId, `turn ${turn} ${'word '.repeat(400)}`)).end.stopReason).toBe('end_turn')
    }
  })
})

describe('conversation_search', () => {
  it('finds what was said by words, phrases and roles, and leaves out what is excluded', async () => {
    const search = async (args: object): Promise<string[]> => {
      queries.push(args)
      const said = await say(engine, agentId, 'please search')
      const [result] = said.messages.find((message) => message.role === 'tool')?.tool_returns ?? []
      const found = JSON.parse(result?.text ?? '{}') as { results: { content: string }[] }
      return found.results.map((entry) => entry.content)
    }
    const queries: object[] = []
    const { agentId, engine } = await setUp((request) => {
      const last = request.messages.at(-1)
      if (last?.role === 'user' && JSON.stringify(last).includes('please search')) {
        return { toolCalls: [{ name: 'conversation_search', arguments: queries.at(-1) }] }
      }
      return { text: 'Hm.' }
    })
    for (const text of ['I own a red boat', 'The boats are blue', 'I like trains']) await say(engine, agentId, text)
    const boats = await search({ query: 'boat', roles: ['user'] })
    expect(boats.slice(0, 2).sort()).toEqual(['I own a red boat', 'The boats are blue'])
    // what was said beside a hit comes after it
    expect(boats).toContain('I like trains')
    expect(await search({ query: 'boat -red' })).toEqual(['The boats are blue'])
    expect(await search({ query: '"red boat"' })).toEqual(['I own a red boat'])
    expect(await search({ query: 'trains boat', roles: ['user'], limit: 1 })).toHaveLength(1)
    expect(await search({ query: 'submarine' })).toEqual([])
    expect(await search({ query: 'boat', end_date: '2001-01-01' })).toEqual([])
    expect(await search({ roles: ['assistant'], limit: 2 })).toEqual(['Hm.', 'Hm.'])
  })

  it('does not find the question that is being answered', async () => {
    const { agentId, engine } = await setUp(({ messages }) =>
      messages.at(-1)?.role === 'tool'
        ? { text: 'Done.' }
        : { toolCalls: [{ name: 'conversation_search', arguments: { query: 'zeppelin' } }] },
    )
    const ask = async () => {
      const said = await say(engine, agentId, 'Did I ever mention a zeppelin?')
      const [result] = said.messages.find((message) => message.role === 'tool')?.tool_returns ?? []
      return JSON.parse(result?.text ?? '{}') as { message: string; results: { content: string }[] }
    }
    expect(await ask()).toMatchObject({ message: 'No results found.' })
    const [found] = (await ask()).results
    expect(found?.content).toBe('Did I ever mention a zeppelin?')
  })
})

describe('runs of one agent', () => {
  it('100 messages of two clients are answered one after the other, in order', async () => {
    const { agentId, engine } = await setUp((request) => ({
      text: `re: ${JSON.stringify(request.messages.at(-1)).slice(-20)}`,
    }))
    const clients = ['a', 'b'].map((client) =>
      Promise.all(Array.from({ length: 50 }, (_, index) => say(engine, agentId, `${client}${index}`))),
    )
    const all = (await Promise.all(clients)).flat()
    expect(all.every((said) => said.end.stopReason === 'end_turn')).toBe(true)
    const stored = (await storedMessages(db, agentId)).slice(1)
    expect(stored).toHaveLength(200)
    stored.forEach((message, index) => {
      expect(message.role).toBe(index % 2 === 0 ? 'user' : 'assistant')
      if (index % 2 === 1) expect(message.run_id).toBe(stored[index - 1]?.run_id)
    })
    for (const client of ['a', 'b']) {
      const texts = stored.flatMap((message) => message.content.map((part) => (part.type === 'text' ? part.text : '')))
      const own = texts.filter((text) => text.startsWith(client))
      expect(own).toEqual(Array.from({ length: 50 }, (_, index) => `${client}${index}`))
    }
  })

  it('a tool sees the block as another writer left it: no edit is lost', async () => {
    const { agentId, engine } = await setUp(({ messages }) => {
      const last = messages.at(-1)
      return last?.role === 'tool'
        ? { text: 'Ok.' }
        : { toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: 'agent' } }] }
    })
    const write = statement(
      'test-other-writer',
      `update blocks set value = value || 'x', version = version + 1 where id = (select block_id from agent_blocks where agent_id = $1 and label = 'human')`,
    )
    let isOver = false
    const writer = (async () => {
      let count = 0
      while (!isOver) {
        await db.query(write, [agentId])
        count += 1
        await new Promise((resolve) => setTimeout(resolve, 3))
      }
      return count
    })()
    for (let turn = 0; turn < 10; turn += 1) await say(engine, agentId, 'Go')
    isOver = true
    const count = await writer
    const block = await readBlock(db, agentId, 'human')
    expect(block?.value.match(/agent/g)).toHaveLength(10)
    expect(block?.value.match(/x/g)).toHaveLength(count)
    expect(block?.version).toBe(1 + 10 + count)
  })

  it('cancels a running run at once and a queued one too', async () => {
    const { agentId, engine } = await setUp(({ messages }) => ({
      text: 'Late.',
      ...(JSON.stringify(messages.at(-1)).includes('slow') ? { delayMs: 60_000 } : {}),
    }))
    await engine.open()
    try {
      const slow = newRun(agentId, 'slow')
      const queued = newRun(agentId, 'queued')
      const ends = new Map<string, string>()
      const listen = (id: string) => (event: { type: string; stopReason?: string }) => {
        if (event.type === 'run-end') ends.set(id, event.stopReason ?? '')
      }
      await engine.start(slow, listen('slow'))
      await engine.start(queued, listen('queued'))
      expect(await engine.cancel(DEFAULT_ORGANIZATION_ID, queued.runId)).toBe(true)
      expect(await engine.cancel(DEFAULT_ORGANIZATION_ID, slow.runId)).toBe(true)
      await expect.poll(() => ends.size, { timeout: 5000 }).toBe(2)
      expect(Object.fromEntries(ends)).toEqual({ slow: 'cancelled', queued: 'cancelled' })
      // the call that was under way is in the ledger; the run that never began asked nobody
      const ledger = await db.query(
        statement(
          'test-cancelled-calls',
          `select r.id, r.step_count, s.status, s.stop_reason, p.status as paid, p.input_tokens + p.output_tokens as tokens, p.error_type
           from runs as r left join steps as s on s.run_id = r.id left join provider_calls as p on p.step_id = s.id
           where r.id = any($1::text[]) order by r.queue_seq`,
        ),
        [[slow.runId, queued.runId]],
      )
      const none = { status: null, stop_reason: null, paid: null, tokens: null, error_type: null }
      expect(ledger).toEqual([
        {
          id: slow.runId,
          step_count: 1,
          status: 'cancelled',
          stop_reason: 'cancelled',
          paid: 'cancelled',
          tokens: 0,
          error_type: null,
        },
        { id: queued.runId, step_count: 0, ...none },
      ])
      expect((await say(engine, agentId, 'hello')).end.stopReason).toBe('end_turn')
      expect(await roles(agentId)).toEqual(['system', 'user', 'user', 'assistant'])
    } finally {
      await engine[Symbol.asyncDispose]()
    }
  })
})

describe('take-over', () => {
  const expire = statement('test-expire', `update runs set lease_expires_at = '-infinity' where id = $1`)

  it('another process goes on with the tools of a step, and the first one can write no more', async () => {
    const gate = Promise.withResolvers<void>()
    const script: Script = async ({ messages }, index) => {
      if (index === 0)
        return { toolCalls: [insertName, { name: 'memory_insert', arguments: { label: 'human', new_string: 'two' } }] }
      if (index === 1) await gate.promise
      return { text: `Answer with ${messages.length} messages.` }
    }
    const { registry } = scriptedModel(script)
    const agentId = await createTestAgent(db, registry)
    const first = createTestEngine(db, registry, 'first')
    const run = newRun(agentId, 'Go')
    await first.start(run)
    await expect.poll(() => roles(agentId), { timeout: 5000 }).toHaveLength(4)
    await db.query(expire, [run.runId])
    const second = createTestEngine(db, scriptedModel(() => ({ text: 'From the second.' })).registry, 'second')
    await second.open()
    await second.idle()
    gate.resolve()
    await first.idle()
    const stored = await storedMessages(db, agentId)
    expect(stored.map((message) => message.role)).toEqual(['system', 'user', 'assistant', 'tool', 'assistant'])
    expect(stored.at(-1)?.content).toEqual([{ type: 'text', text: 'From the second.' }])
    expect(await readBlock(db, agentId, 'human')).toEqual({ value: 'Name: Nils\ntwo', version: 3 })
    await second[Symbol.asyncDispose]()
  })

  it('an answer that comes after the take-over is not stored, although the new owner has not said anything yet', async () => {
    const late = Promise.withResolvers<void>()
    const working = Promise.withResolvers<void>()
    const slow = scriptedModel(async () => {
      await late.promise
      return { text: 'From the first.' }
    })
    const second = scriptedModel(async () => {
      await working.promise
      return { text: 'From the second.' }
    })
    const agentId = await createTestAgent(db, slow.registry)
    const former = createTestEngine(db, slow.registry, 'former')
    const owner = createTestEngine(db, second.registry, 'owner')
    const run = newRun(agentId, 'Go')
    await former.start(run)
    await db.query(expire, [run.runId])
    await owner.open()
    await expect.poll(() => second.requests.length, { timeout: 5000 }).toBe(1)
    late.resolve()
    await former.idle()
    expect(await roles(agentId)).toEqual(['system', 'user'])
    working.resolve()
    await owner.idle()
    const stored = await storedMessages(db, agentId)
    expect(stored.slice(2).map((message) => message.content)).toEqual([[{ type: 'text', text: 'From the second.' }]])
    await owner[Symbol.asyncDispose]()
  })

  it('a run that waited behind a dead one is answered too', async () => {
    const { registry } = scriptedModel(() => ({ text: 'Yes.' }))
    const agentId = await createTestAgent(db, registry)
    const hanging = scriptedModel(() => ({ delayMs: 30_000, text: 'never' }))
    const dead = createTestEngine(db, hanging.registry, 'dead')
    const run = newRun(agentId, 'first')
    await dead.start(run)
    await dead.start(newRun(agentId, 'second'))
    await db.query(expire, [run.runId])
    const alive = createTestEngine(db, registry, 'alive')
    await alive.open()
    await expect
      .poll(() => roles(agentId), { timeout: 5000 })
      .toEqual(['system', 'user', 'assistant', 'user', 'assistant'])
    await alive[Symbol.asyncDispose]()
    await dead[Symbol.asyncDispose]()
  })
})
