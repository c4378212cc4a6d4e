import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ModelRequest } from '#llm/model.ts'
import type { Db } from '#store/db.ts'
import { type Script, scriptedModel } from '../../test/support/scripted-model.ts'
import {
  createScriptedAgent,
  createTestAgent,
  createTestEngine,
  say,
  storedMessages,
} from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import { AGENT_TYPES } from './base-tools.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

const setUp = (script: Script, input = {}) =>
  createScriptedAgent(db, script, { agent_type: 'memgpt_agent', initial_message_sequence: [], ...input })

const send = (message: string, more = {}) => ({ name: 'send_message', arguments: { message, ...more } })
const search = (more = {}) => ({ name: 'conversation_search', arguments: { query: 'x', ...more } })

const roles = async (agentId: string) => (await storedMessages(db, agentId)).map((message) => message.role)
const lastText = (request: ModelRequest | undefined): string => {
  const last = request?.messages.at(-1)
  return last?.role === 'user' && last.content[0]?.type === 'text' ? last.content[0].text : ''
}

describe('an agent that speaks by a tool', () => {
  it('must call a tool, thinks in it, and has said what it sends', async () => {
    const { agentId, engine, requests } = await setUp(() => ({
      toolCalls: [send('Hello you.', { thinking: 'Be kind.' }), send('And again.')],
    }))
    const said = await say(engine, agentId, 'Hello')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 1, error: null })
    expect(requests[0]?.toolChoice).toEqual({ type: 'required' })
    expect(requests[0]?.settings.parallel_tool_calls).toBe(false)
    const parameters = (name: string) => requests[0]?.tools.find((tool) => tool.name === name)?.parameters
    expect(parameters('send_message')).toMatchObject({ required: ['thinking', 'message'] })
    expect(Object.keys(parameters('conversation_search')?.properties ?? {}).at(0)).toBe('thinking')
    expect(Object.keys(parameters('conversation_search')?.properties ?? {}).at(-1)).toBe('request_heartbeat')
    expect(await roles(agentId)).toEqual(['system', 'user', 'assistant', 'tool'])
    const [, , answer] = await storedMessages(db, agentId)
    expect(answer?.content).toEqual([{ type: 'text', text: 'Be kind.', is_thought: true }])
    expect(answer?.tool_calls).toMatchObject([{ name: 'send_message', arguments: '{"message":"Hello you."}' }])
  })

  it('is told its words piece by piece, and its thoughts as thoughts', async () => {
    const { agentId, engine } = await setUp(() => ({
      text: 'Aside.',
      toolCalls: [send('Hello you.', { thinking: 'Be kind.' })],
    }))
    const said = await say(engine, agentId, 'Hello')
    const deltas = said.events.filter((event) => event.type.endsWith('-delta'))
    expect(deltas).toMatchObject([
      { type: 'reasoning-delta', text: 'Aside.', isThought: true },
      { type: 'text-delta', text: 'Hello you.' },
      { type: 'reasoning-delta', text: 'Be kind.', isThought: true },
    ])
  })

  it('goes on where it asks for a heartbeat, and reads why', async () => {
    const { agentId, engine, requests } = await setUp((_request, index) =>
      index === 0
        ? { toolCalls: [search({ thinking: 'I look.', request_heartbeat: true })] }
        : { toolCalls: [send('Found nothing.')] },
    )
    const said = await say(engine, agentId, 'Search')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 2 })
    expect(await roles(agentId)).toEqual(['system', 'user', 'assistant', 'tool', 'user', 'assistant', 'tool'])
    expect(lastText(requests[1])).toMatch(
      /^{"type":"heartbeat","reason":"\[This is an automated system message hidden from the user\] Function called using request_heartbeat=true, returning control","time":"/,
    )
    const [call] = (requests[1]?.messages ?? []).flatMap((m) => (m.role === 'assistant' ? m.toolCalls : []))
    expect(call?.arguments).toBe('{"thinking":"I look.","query":"x","request_heartbeat":true}')
    expect(said.messages.map((message) => message.role)).toEqual(['assistant', 'tool', 'assistant', 'tool'])
  })

  it('gets control back after a call that failed', async () => {
    const { agentId, engine, requests } = await setUp((_request, index) =>
      index === 0 ? { toolCalls: [{ name: 'no_such_tool', arguments: {} }] } : { toolCalls: [send('Sorry.')] },
    )
    await say(engine, agentId, 'Go')
    expect(lastText(requests[1])).toContain('Function call failed, returning control')
  })

  it('ends without a heartbeat; text alone is thinking, and no answer', async () => {
    const quiet = await setUp(() => ({ toolCalls: [search()] }), { include_base_tool_rules: false })
    expect((await say(quiet.engine, quiet.agentId, 'Go')).end).toMatchObject({ stopReason: 'end_turn', stepCount: 1 })
    const pensive = await setUp(() => ({ text: 'I wonder.' }))
    expect((await say(pensive.engine, pensive.agentId, 'Go')).end).toMatchObject({ stopReason: 'no_tool_call' })
    expect((await storedMessages(db, pensive.agentId)).at(-1)?.content).toEqual([
      { type: 'text', text: 'I wonder.', is_thought: true },
    ])
  })

  it('thinks by itself where its model does', async () => {
    const { agentId, engine, requests } = await setUp(() => ({ reasoning: 'Hm.', toolCalls: [send('Hi.')] }), {
      model: 'anthropic/claude-haiku-4-5',
    })
    await say(engine, agentId, 'Go')
    expect(JSON.stringify(requests[0]?.tools)).not.toContain('"thinking"')
  })

  it('does not stop at a heartbeat where no step is left', async () => {
    const { agentId, engine } = await setUp(() => ({ toolCalls: [search({ request_heartbeat: true })] }))
    expect((await say(engine, agentId, 'Go', { maxSteps: 2 })).end.stopReason).toBe('max_steps')
    expect(await roles(agentId)).toEqual(['system', 'user', 'assistant', 'tool', 'user', 'assistant', 'tool'])
  })

  it('begins with a first word and a login, unless it is told how to begin', async () => {
    const { registry, requests } = scriptedModel(() => ({ toolCalls: [send('Hi.')] }))
    const agentId = await createTestAgent(db, registry, { agent_type: 'memgpt_v2_agent' })
    expect(await roles(agentId)).toEqual(['system', 'assistant', 'tool', 'user'])
    await say(createTestEngine(db, registry), agentId, 'Hello')
    expect(requests[0]?.messages.map((message) => message.role)).toEqual([
      'system',
      'assistant',
      'tool',
      'user',
      'user',
    ])
    expect(JSON.stringify(requests[0]?.messages[3])).toContain('Never (first login)')
  })
})

it.each(AGENT_TYPES)('%s answers, and answers again', async (agent_type) => {
  const { registry } = scriptedModel((request) =>
    request.tools.some((tool) => tool.name === 'send_message') ? { toolCalls: [send('Hi.')] } : { text: 'Hi.' },
  )
  const agentId = await createTestAgent(db, registry, { agent_type })
  const engine = createTestEngine(db, registry)
  for (const text of ['one', 'two']) {
    expect((await say(engine, agentId, text)).end).toMatchObject({ stopReason: 'end_turn', error: null })
  }
})

it('workflow_agent forgets what was said before the turn', async () => {
  const { agentId, engine, requests } = await createScriptedAgent(db, () => ({ text: 'Done.' }), {
    agent_type: 'workflow_agent',
  })
  await say(engine, agentId, 'one')
  await say(engine, agentId, 'two')
  expect(requests[1]?.messages.map((message) => message.role)).toEqual(['system', 'user'])
  expect(await roles(agentId)).toEqual(['system', 'user', 'assistant', 'user', 'assistant'])
})

describe('rules about tools', () => {
  const tools = ['conversation_search', 'memory_insert', 'memory_replace']
  const insert = { name: 'memory_insert', arguments: { label: 'human', new_string: 'x' } }
  const replace = { name: 'memory_replace', arguments: { label: 'human', old_string: 'x', new_string: 'y' } }
  const byModel = (requests: ModelRequest[]) =>
    requests.map(({ toolChoice, tools: offered }) => [toolChoice, offered.map((tool) => tool.name)])

  it('force the first tool and its child, and let the rest be free', async () => {
    const { agentId, engine, requests } = await createScriptedAgent(
      db,
      (_request, index) =>
        [{ toolCalls: [insert, search()] }, { toolCalls: [replace] }, { text: 'Done.' }][index] ?? {},
      {
        tool_rules: [
          { type: 'run_first', tool_name: 'memory_insert', args: { new_string: 'x', label: 'human' } },
          { type: 'constrain_child_tools', tool_name: 'memory_insert', children: ['memory_replace'] },
        ],
      },
    )
    const said = await say(engine, agentId, 'Go')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 3 })
    expect(byModel(requests)).toEqual([
      [{ type: 'tool', name: 'memory_insert' }, ['memory_insert']],
      [{ type: 'tool', name: 'memory_replace' }, ['memory_replace']],
      [{ type: 'auto' }, tools],
    ])
    const [system] = requests[0]?.messages ?? []
    expect(system?.role === 'system' && system.text).toContain('<tool_usage_rules>')
  })

  it('refuse what they do not allow, with what may be called, and go on', async () => {
    const { agentId, engine } = await createScriptedAgent(
      db,
      (_request, index) => [{ toolCalls: [replace] }, { toolCalls: [insert] }, { text: 'Done.' }][index] ?? {},
      { tool_rules: [{ type: 'run_first', tool_name: 'memory_insert' }] },
    )
    const said = await say(engine, agentId, 'Go')
    const [refused, done] = said.messages.flatMap((message) => message.tool_returns ?? [])
    expect(refused).toMatchObject({ status: 'error', is_violation: true })
    expect(refused?.text).toContain(
      "[ToolConstraintError] Cannot call memory_replace, valid tools include: ['memory_insert']",
    )
    expect(done).toMatchObject({ status: 'success', name: 'memory_insert' })
  })

  it('hold the turn open until a tool was called, and force it then', async () => {
    const { agentId, engine, requests } = await createScriptedAgent(
      db,
      (request, index) =>
        request.toolChoice.type === 'tool' ? { toolCalls: [insert] } : { text: index === 0 ? 'Bye.' : 'Now bye.' },
      { tool_rules: [{ type: 'required_before_exit', tool_name: 'memory_insert' }] },
    )
    const said = await say(engine, agentId, 'Go')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 3 })
    expect(await roles(agentId)).toEqual(['system', 'user', 'assistant', 'user', 'assistant', 'tool', 'assistant'])
    expect(lastText(requests[1])).toContain(
      'ToolRuleViolated: You must call memory_insert at least once to exit the loop.',
    )
  })

  it('end a run at last although a required tool is never called', async () => {
    const { agentId, engine } = await createScriptedAgent(db, () => ({ text: 'Bye.' }), {
      tool_rules: [{ type: 'required_before_exit', tool_name: 'memory_insert' }],
    })
    expect((await say(engine, agentId, 'Go', { maxSteps: 3 })).end).toMatchObject({ stopReason: 'max_steps' })
    expect(await roles(agentId)).toEqual(['system', 'user', 'assistant', 'user', 'assistant', 'user', 'assistant'])
  })

  it('count the calls of one run, not of the one before', async () => {
    const { agentId, engine, requests } = await createScriptedAgent(
      db,
      (request) =>
        request.tools.some((tool) => tool.name === 'conversation_search') ? { toolCalls: [search()] } : { text: 'Ok.' },
      { tool_rules: [{ type: 'max_count_per_step', tool_name: 'conversation_search', max_count_limit: 2 }] },
    )
    expect((await say(engine, agentId, 'Go')).end.stepCount).toBe(3)
    expect((await say(engine, agentId, 'Go')).end.stepCount).toBe(3)
    expect(requests).toHaveLength(6)
  })

  it('leave no tool where an output leads nowhere: then the model answers in words', async () => {
    const { agentId, engine, requests } = await createScriptedAgent(
      db,
      (request) => (request.toolChoice.type === 'none' ? { text: 'I am stuck.' } : { toolCalls: [search()] }),
      {
        agent_type: 'memgpt_agent',
        tool_rules: [
          {
            type: 'conditional',
            tool_name: 'conversation_search',
            child_output_mapping: { never: 'send_message' },
            require_output_mapping: true,
          },
        ],
      },
    )
    const said = await say(engine, agentId, 'Go')
    expect(said.end).toMatchObject({ stopReason: 'end_turn', stepCount: 2 })
    expect(requests[1]?.toolChoice).toEqual({ type: 'none' })
    expect(said.messages.at(-1)?.content).toEqual([{ type: 'text', text: 'I am stuck.' }])
  })

  it('end the run where a rule sets arguments that the tool does not have', async () => {
    const { agentId, engine } = await createScriptedAgent(db, () => ({ toolCalls: [insert] }), {
      tool_rules: [{ type: 'run_first', tool_name: 'memory_insert', args: { colour: 'red' } }],
    })
    const said = await say(engine, agentId, 'Go')
    expect(said.end).toMatchObject({ stopReason: 'invalid_tool_call', stepCount: 1 })
    expect(said.messages.at(-1)?.tool_returns?.[0]).toMatchObject({ status: 'error', is_fatal: true })
  })

  it('are kept by whoever takes a run over, from its rows', async () => {
    let isFirst = true
    const { registry, requests } = scriptedModel((request) => {
      if (request.toolChoice.type === 'tool' && request.toolChoice.name === 'memory_insert') {
        return { toolCalls: [insert] }
      }
      if (isFirst) {
        isFirst = false
        return { text: 'never heard', delayMs: 60_000 }
      }
      return request.toolChoice.type === 'tool' ? { toolCalls: [replace] } : { text: 'Done.' }
    })
    const agentId = await createTestAgent(db, registry, {
      tool_rules: [
        { type: 'run_first', tool_name: 'memory_insert' },
        { type: 'constrain_child_tools', tool_name: 'memory_insert', children: ['memory_replace'] },
      ],
    })
    const first = createTestEngine(db, registry, 'process-1')
    const heard = say(first, agentId, 'Go')
    await expect.poll(() => requests.length, { timeout: 10_000 }).toBe(2)
    await first[Symbol.asyncDispose]()
    const second = createTestEngine(db, registry, 'process-2')
    await second.open()
    await expect
      .poll(async () => (await storedMessages(db, agentId)).at(-1)?.content, { timeout: 10_000 })
      .toEqual([{ type: 'text', text: 'Done.' }])
    await second[Symbol.asyncDispose]()
    void heard
    expect(requests.map((request) => request.toolChoice)).toEqual([
      { type: 'tool', name: 'memory_insert' },
      { type: 'tool', name: 'memory_replace' },
      { type: 'tool', name: 'memory_replace' },
      { type: 'auto' },
    ])
  })
})
