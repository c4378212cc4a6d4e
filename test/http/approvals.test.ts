import { APIError, type Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ModelRequest } from '#llm/model.ts'
import { type ScriptedReply, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const ASKED = { label: 'human', new_string: 'asked' }
const FREE = { query: 'free' }

/** What the model says to its requests, in order; then that it is done. */
let plan: ScriptedReply[] = []
let requests: ModelRequest[]
let server: TestServer
let client: Letta
beforeAll(async () => {
  const model = scriptedModel(() => plan.shift() ?? { text: 'Done.' })
  requests = model.requests
  server = await startTestServer({ models: model.registry })
  client = await server.sdk()
})
afterAll(() => server.close())
beforeEach(() => {
  plan = []
  requests.length = 0
})

type Wire = Record<string, unknown> & { message_type: string; id: string; otid: string }
const wires = (messages: readonly unknown[]) => messages as Wire[]
const types = (messages: readonly unknown[]) => wires(messages).map((message) => message.message_type)

/** An agent of which `memory_insert` waits for a person. */
async function newAgent(over: Record<string, unknown> = {}): Promise<string> {
  const agent = await client.agents.create({
    model: 'openai/gpt-4o-mini',
    memory_blocks: [{ label: 'human', value: '' }],
    tool_rules: [{ type: 'requires_approval', tool_name: 'memory_insert' }],
    ...over,
  })
  return agent.id
}
const asked = (id: string) => ({ id, name: 'memory_insert', arguments: ASKED })
const free = (id: string) => ({ id, name: 'conversation_search', arguments: FREE })
const human = async (agentId: string) => (await client.agents.blocks.retrieve('human', { agent_id: agentId })).value

/** An agent that waits for an approval of these calls. */
async function waitingAgent(...toolCalls: { id: string; name: string; arguments: unknown }[]): Promise<string> {
  const agentId = await newAgent()
  plan = [{ toolCalls }]
  const { stop_reason } = await client.agents.messages.create(agentId, { input: 'Go' })
  expect(stop_reason.stop_reason).toBe('requires_approval')
  return agentId
}

const approve = (...ids: string[]) => ({
  messages: [
    {
      type: 'approval' as const,
      approvals: ids.map((id) => ({ type: 'approval' as const, tool_call_id: id, approve: true })),
    },
  ],
})

const pendingOf = async (agentId: string) =>
  (await client.agents.retrieve(agentId, { include: ['agent.pending_approval'] })).pending_approval

const post = (agentId: string, body: unknown) => server.request('POST', `/v1/agents/${agentId}/messages`, body)

describe('a call that waits for an approval', () => {
  it('ends the run with a request, which the agent has until it is answered', async () => {
    const agentId = await newAgent()
    plan = [{ reasoning: 'Hm.', text: 'May I?', toolCalls: [asked('call_1')] }]
    const { messages, stop_reason } = await client.agents.messages.create(agentId, { input: 'Go' })
    expect(stop_reason.stop_reason).toBe('requires_approval')
    expect(types(messages)).toEqual(['reasoning_message', 'assistant_message', 'approval_request_message'])
    const [, text, request] = wires(messages)
    const call = { name: 'memory_insert', tool_call_id: 'call_1', arguments: JSON.stringify(ASKED) }
    expect(request).toMatchObject({ tool_call: call, tool_calls: [call] })
    expect(BigInt(`0x${request?.id.slice(8).replaceAll('-', '')}`)).toBe(
      BigInt(`0x${text?.id.slice(8).replaceAll('-', '')}`) - 1n,
    )
    expect(request?.otid).toBe(request?.id.slice(8))
    expect(await pendingOf(agentId)).toMatchObject({ id: request?.id, tool_calls: [call] })
    expect((await client.agents.retrieve(agentId)).pending_approval).toBeNull()
    const listed = await client.agents.list({ include: ['agent.pending_approval'], limit: 1 })
    expect(listed.items[0]?.pending_approval?.id).toBe(request?.id)
    const [run] = (await client.runs.list({ agent_id: agentId })).items
    expect(run).toMatchObject({ status: 'completed', stop_reason: 'requires_approval' })
    expect(await human(agentId)).toBe('')

    const answer = await client.agents.messages.create(agentId, approve('call_1'))
    expect(types(answer.messages)).toEqual(['tool_return_message', 'assistant_message'])
    expect(answer.messages[0]).toMatchObject({ tool_call_id: 'call_1', status: 'success', tool_return: 'asked' })
    expect(await human(agentId)).toBe('asked')
    expect(await pendingOf(agentId)).toBeNull()
    const { items } = await client.agents.messages.list(agentId)
    expect(types(items)).toEqual([
      'system_message',
      'user_message',
      ...types(messages),
      'approval_response_message',
      ...types(answer.messages),
    ])
    expect(items[5]).toMatchObject({ approve: true, approval_request_id: 'call_1', approvals: [{ approve: true }] })
    expect((await client.agents.messages.create(agentId, { input: 'And?' })).stop_reason.stop_reason).toBe('end_turn')
  })

  it('is denied with the reason, which the model reads', async () => {
    const agentId = await waitingAgent(asked('call_1'))
    const approvals = [{ type: 'approval' as const, tool_call_id: 'call_1', approve: false, reason: 'Too soon.' }]
    const { messages } = await client.agents.messages.create(agentId, { messages: [{ type: 'approval', approvals }] })
    expect(messages[0]).toMatchObject({
      message_type: 'tool_return_message',
      status: 'error',
      tool_return: 'Error: request to call tool denied. User reason: Too soon.',
    })
    expect(await human(agentId)).toBe('')
    expect(JSON.stringify(requests.at(-1)?.messages.at(-1))).toContain('Too soon.')
  })

  it('may be answered in the older forms, by the id of the message or of the call', async () => {
    for (const form of ['message', 'call', 'nothing'] as const) {
      const agentId = await waitingAgent(asked('call_1'))
      const approval_request_id =
        form === 'message' ? (await pendingOf(agentId))?.id : form === 'call' ? 'call_1' : null
      const { status, body } = await post(agentId, { messages: [{ approve: true, approval_request_id }] })
      expect([status, types(body.messages as Wire[])]).toEqual([200, ['tool_return_message', 'assistant_message']])
    }
    const agentId = await waitingAgent(asked('call_1'))
    const wrong = await post(agentId, { messages: [{ type: 'approval', approve: true, approval_request_id: 'other' }] })
    expect(wrong.status).toBe(400)
    expect(JSON.stringify(wrong.body)).toContain('Invalid approval request ID')
  })

  it('does not hold up those that need none: they are executed with it, in one message', async () => {
    const agentId = await newAgent()
    plan = [{ text: 'So.', toolCalls: [free('a'), asked('b'), free('c'), asked('d')] }]
    const first = await client.agents.messages.create(agentId, { input: 'Go' })
    expect(types(first.messages)).toEqual(['assistant_message', 'tool_call_message', 'approval_request_message'])
    const ids = (message: unknown, field: string) =>
      ((message as Record<string, unknown>)[field] as { tool_call_id: string }[]).map((call) => call.tool_call_id)
    expect(ids(first.messages[1], 'tool_calls')).toEqual(['a', 'c'])
    expect(ids(first.messages[2], 'tool_calls')).toEqual(['b', 'd'])
    const approvals = [
      { type: 'approval' as const, tool_call_id: 'd', approve: true },
      { type: 'approval' as const, tool_call_id: 'b', approve: false, reason: 'No.' },
    ]
    const { messages } = await client.agents.messages.create(agentId, { messages: [{ type: 'approval', approvals }] })
    expect(types(messages)).toEqual(['tool_return_message', 'assistant_message'])
    expect(ids(messages[0], 'tool_returns')).toEqual(['a', 'b', 'c', 'd'])
    const statuses = (messages[0] as unknown as { tool_returns: { status: string }[] }).tool_returns
    expect(statuses.map((result) => result.status)).toEqual(['success', 'error', 'success', 'success'])
    const said = requests.at(-1)?.messages.find((message) => message.role === 'assistant')
    expect(said?.role === 'assistant' && said.toolCalls.map((call) => call.tool_call_id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('lets messages that follow the answer be read after the results', async () => {
    const agentId = await waitingAgent(asked('call_1'))
    await client.agents.messages.create(agentId, {
      messages: [...approve('call_1').messages, { role: 'user', content: 'And hurry.' }],
    })
    expect(requests.at(-1)?.messages.map((message) => message.role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'user',
    ])
    expect(types((await client.agents.messages.list(agentId)).items).slice(-4)).toEqual([
      'approval_response_message',
      'tool_return_message',
      'user_message',
      'assistant_message',
    ])
  })
})

describe('what is no answer', () => {
  it('is refused while a request waits, not retried, and not kept', async () => {
    const agentId = await waitingAgent(asked('call_1'))
    const before = (await client.agents.messages.list(agentId)).items
    const { status, body, headers } = await post(agentId, { input: 'Hello?' })
    expect(status).toBe(409)
    expect(headers['x-should-retry']).toBe('false')
    expect(body.detail).toMatchObject({
      code: 'PENDING_APPROVAL',
      pending_request_id: (await pendingOf(agentId))?.id,
      message: expect.stringContaining(
        'CONFLICT: Cannot send a new message: The agent is waiting for approval on a tool call.',
      ),
    })
    expect((await client.agents.messages.list(agentId)).items).toEqual(before)
    const keyed = { messages: [{ role: 'user', content: 'x', otid: 'otid-1' }] }
    for (const _ of [1, 2]) expect((await post(agentId, keyed)).body.detail).toMatchObject({ code: 'PENDING_APPROVAL' })
    const agent = await client.agents.retrieve(agentId)
    expect(agent.last_stop_reason).toBe('requires_approval')
    await client.agents.messages.create(agentId, approve('call_1'))
  })

  it('is an error event where it is streamed', async () => {
    const agentId = await waitingAgent(asked('call_1'))
    const stream = await client.agents.messages.create(agentId, { input: 'Hello?', streaming: true })
    const chunks: unknown[] = []
    const read = async () => {
      for await (const chunk of stream) chunks.push(chunk)
    }
    await expect(read()).rejects.toThrow(APIError)
    expect(types(chunks)).toEqual(['ping', 'stop_reason'])
  })

  it.each([
    [['call_2'], "Invalid tool call IDs. Expected '['call_1']', but received '['call_2']'."],
    [['call_1', 'call_2'], "Invalid tool call IDs. Expected '['call_1']', but received '['call_1', 'call_2']'."],
    [['call_1', 'call_1'], "Invalid tool call IDs. Expected '['call_1']', but received '['call_1', 'call_1']'."],
  ])('is refused for the ids %j, and the request goes on waiting', async (ids, detail) => {
    const agentId = await waitingAgent(asked('call_1'))
    const { status, body } = await post(agentId, approve(...ids))
    expect([status, body.detail]).toEqual([400, detail])
    expect(await pendingOf(agentId)).not.toBeNull()
    expect((await client.agents.messages.create(agentId, approve('call_1'))).stop_reason.stop_reason).toBe('end_turn')
  })

  it('is refused where nothing waits', async () => {
    const { status, body } = await post(await newAgent(), approve('call_1'))
    expect(status).toBe(400)
    expect(body.detail).toBe(
      'Cannot process approval response: No tool call is currently awaiting approval. Please send a regular message to interact with the agent.',
    )
  })

  it('does nothing twice: the same answer again is told what came of the first', async () => {
    const agentId = await waitingAgent(asked('call_1'))
    const first = await client.agents.messages.create(agentId, approve('call_1'))
    const asks = requests.length
    const again = await client.agents.messages.create(agentId, approve('call_1'))
    const withoutDates = (messages: readonly unknown[]) => wires(messages).map(({ date: _, ...rest }) => rest)
    expect(withoutDates(again.messages)).toEqual(withoutDates(first.messages))
    expect(again.stop_reason.stop_reason).toBe('end_turn')
    expect(requests).toHaveLength(asks)
    expect(await human(agentId)).toBe('asked')
    const denied = [{ type: 'approval' as const, tool_call_id: 'call_1', approve: false }]
    expect((await post(agentId, { messages: [{ type: 'approval', approvals: denied }] })).status).toBe(400)
  })

  it('that waited in the queue fails too, and nothing of it is kept', async () => {
    const agentId = await newAgent()
    plan = [{ toolCalls: [asked('call_1')], delayMs: 300 }]
    const [first, second] = await Promise.all([post(agentId, { input: 'Go' }), post(agentId, { input: 'Behind it' })])
    expect(first.status).toBe(200)
    expect(second.status).toBe(409)
    expect(second.body.detail).toMatchObject({ code: 'PENDING_APPROVAL' })
    expect(types((await client.agents.messages.list(agentId)).items)).toEqual([
      'system_message',
      'user_message',
      'approval_request_message',
    ])
    const run = await client.agents.messages.createAsync(agentId, { input: 'Later' })
    await expect.poll(async () => (await client.runs.retrieve(run.id)).status).toBe('failed')
  })
})

describe('tools of the client', () => {
  const client_tools = [
    {
      name: 'ask_browser',
      description: 'Asks the browser.',
      parameters: { type: 'object', properties: { q: { type: 'string' } } },
    },
  ]
  const call = { id: 'call_1', name: 'ask_browser', arguments: { q: 'x' } }

  it('are offered to the model, wait for the client, and what it returns is the result', async () => {
    const agentId = await newAgent()
    plan = [{ toolCalls: [call] }]
    const asked = await client.agents.messages.create(agentId, { input: 'Go', client_tools })
    expect(requests[0]?.tools.at(-1)).toEqual(client_tools[0])
    expect(types(asked.messages)).toEqual(['approval_request_message'])
    const tool_returns = [
      {
        type: 'tool' as const,
        tool_call_id: 'call_1',
        tool_return: 'found',
        status: 'success' as const,
        stdout: ['log'],
      },
    ]
    const { messages } = await client.agents.messages.create(agentId, {
      messages: [{ type: 'tool_return', tool_returns }],
      client_tools,
    })
    expect(messages[0]).toMatchObject({
      tool_return: 'found',
      status: 'success',
      stdout: ['log'],
      tool_call_id: 'call_1',
    })
    expect(types(messages)).toEqual(['tool_return_message', 'assistant_message'])
    const listed = wires((await client.agents.messages.list(agentId)).items)
    expect(listed.find((message) => message.message_type === 'approval_response_message')).toMatchObject({
      approvals: [{ type: 'tool', tool_return: 'found' }],
      approve: null,
    })
  })

  it('win over tools of the server with their name, and may fail and give pictures', async () => {
    const agentId = await newAgent({ tool_rules: [] })
    plan = [{ toolCalls: [{ ...free('call_1') }, free('call_2')] }]
    const { stop_reason } = await client.agents.messages.create(agentId, {
      input: 'Go',
      client_tools: [{ name: 'conversation_search' }],
    })
    expect(stop_reason.stop_reason).toBe('requires_approval')
    expect(requests[0]?.tools.filter((tool) => tool.name === 'conversation_search')).toEqual([
      { name: 'conversation_search', description: '', parameters: { type: 'object', properties: {} } },
    ])
    const picture = {
      type: 'image' as const,
      source: { type: 'base64' as const, media_type: 'image/png', data: 'aGk=' },
    }
    const { messages } = await client.agents.messages.create(agentId, {
      messages: [
        {
          type: 'approval',
          approvals: [
            {
              type: 'tool',
              tool_call_id: 'call_1',
              tool_return: [{ type: 'text', text: 'see' }, picture],
              status: 'success',
            },
            { type: 'tool', tool_call_id: 'call_2', tool_return: 'broken', status: 'error' },
          ],
        },
      ],
    })
    expect(messages[0]).toMatchObject({
      tool_returns: [
        { tool_return: [{ type: 'text', text: 'see' }, { type: 'image' }], status: 'success' },
        { tool_return: 'broken', status: 'error' },
      ],
    })
    const results = requests.at(-1)?.messages.at(-1)
    expect(results?.role === 'tool' && results.results[0]?.images).toHaveLength(1)
  })
})

describe('a stream', () => {
  async function stream(agentId: string, body: Record<string, unknown>): Promise<Wire[]> {
    const events = await client.agents.messages.create(agentId, {
      streaming: true,
      include_pings: false,
      ...body,
    } as never)
    const chunks: Wire[] = []
    for await (const chunk of events as unknown as AsyncIterable<Wire>) chunks.push(chunk)
    return chunks
  }

  it.each([false, true])(
    'tells the request and begins with the results of the answer; tokens: %s',
    async (stream_tokens) => {
      const agentId = await newAgent()
      plan = [{ text: 'May I?', toolCalls: [free('a'), asked('b')] }]
      const first = await stream(agentId, { input: 'Go', stream_tokens })
      expect([...new Set(types(first))]).toEqual([
        'assistant_message',
        'tool_call_message',
        'approval_request_message',
        'stop_reason',
        'usage_statistics',
      ])
      const request = first.find((chunk) => chunk.message_type === 'approval_request_message')
      const pending = await pendingOf(agentId)
      expect(request).toMatchObject({ id: pending?.id, otid: pending?.otid })
      const calls = first
        .filter((chunk) => chunk.message_type === 'approval_request_message')
        .map((chunk) => chunk.tool_call as { arguments: string })
      expect(calls.map((call) => call.arguments).join('')).toBe(JSON.stringify(ASKED))
      expect(first.find((chunk) => chunk.message_type === 'stop_reason')).toMatchObject({
        stop_reason: 'requires_approval',
      })
      const second = await stream(agentId, { ...approve('b'), stream_tokens })
      expect(types(second)[0]).toBe('tool_return_message')
      expect(second[0]).toMatchObject({ tool_call_id: 'a', status: 'success' })
      expect(types(second).slice(-2)).toEqual(['stop_reason', 'usage_statistics'])
    },
  )
})

describe('a way out', () => {
  it('is to cancel: everything is denied, the run that asked is cancelled, and the agent goes on', async () => {
    const agentId = await newAgent()
    plan = [{ toolCalls: [free('a'), asked('b')] }]
    await client.agents.messages.create(agentId, { input: 'Go' })
    const [run] = (await client.runs.list({ agent_id: agentId })).items
    const before = requests.length
    expect(await client.agents.messages.cancel(agentId)).toEqual({ [run?.id ?? '']: 'cancelled' })
    expect(requests).toHaveLength(before)
    expect(await client.runs.retrieve(run?.id ?? '')).toMatchObject({ status: 'cancelled', stop_reason: 'cancelled' })
    expect(await pendingOf(agentId)).toBeNull()
    const { items } = await client.agents.messages.list(agentId)
    expect(types(items).slice(-2)).toEqual(['approval_response_message', 'tool_return_message'])
    expect(items.at(-1)).toMatchObject({
      tool_returns: [
        { tool_call_id: 'a', status: 'error' },
        {
          tool_call_id: 'b',
          tool_return:
            'Error: request to call tool denied. User reason: The user cancelled the request, so the tool call was denied.',
        },
      ],
    })
    expect((await client.agents.messages.create(agentId, { input: 'And?' })).stop_reason.stop_reason).toBe('end_turn')
    const none = await server.request('POST', `/v1/agents/${agentId}/messages/cancel`)
    expect(none.status).toBe(409)
  })

  it('is to cancel the run by its id, or to begin the conversation anew', async () => {
    const agentId = await waitingAgent(asked('call_1'))
    const [run] = (await client.runs.list({ agent_id: agentId })).items
    const id = run?.id ?? ''
    expect(await client.agents.messages.cancel(agentId, { run_ids: [id] })).toEqual({ [id]: 'cancelled' })
    const other = await waitingAgent(asked('call_1'))
    await client.agents.messages.reset(other, { add_default_initial_messages: false })
    expect(await pendingOf(other)).toBeNull()
    expect((await client.agents.messages.create(other, { input: 'And?' })).stop_reason.stop_reason).toBe('end_turn')
  })
})

describe('in a conversation', () => {
  const say = (id: string, body: object) =>
    server.request<{ stop_reason: { stop_reason: string } }>('POST', `/v1/conversations/${id}/messages`, {
      streaming: false,
      ...body,
    })

  it('a request waits there alone, is answered or cancelled there, and a fork of it is no dead end', async () => {
    const agentId = await newAgent()
    const { id } = await client.conversations.create({ agent_id: agentId })
    plan = [{ toolCalls: [asked('call_1')] }]
    expect((await say(id, { input: 'Go' })).body.stop_reason.stop_reason).toBe('requires_approval')
    expect((await say(id, { input: 'Well?' })).status).toBe(409)
    // the default conversation of the agent is another one
    expect((await client.agents.messages.create(agentId, { input: 'Hello' })).stop_reason.stop_reason).toBe('end_turn')
    const fork = await client.conversations.fork(id)
    expect(Object.values((await client.conversations.cancel(id)) as object)).toEqual(['cancelled'])
    expect((await say(id, { input: 'And?' })).body.stop_reason.stop_reason).toBe('end_turn')
    const inFork = await say(fork.id, { input: 'And here?' })
    const cancelled =
      inFork.status === 409 ? await server.request('POST', `/v1/conversations/${fork.id}/cancel`) : inFork
    expect(cancelled.status).toBe(200)
    expect((await say(fork.id, { input: 'And now?' })).body.stop_reason.stop_reason).toBe('end_turn')
  })
})

it('works for agents that speak by a tool, and for rules that the tool brings', async () => {
  const agentId = await newAgent({ agent_type: 'memgpt_v2_agent' })
  plan = [
    { toolCalls: [{ ...asked('call_1'), arguments: { ...ASKED, thinking: 'I ask.', request_heartbeat: true } }] },
    { toolCalls: [{ name: 'send_message', arguments: { message: 'Noted.' } }] },
  ]
  const first = await client.agents.messages.create(agentId, { input: 'Go' })
  expect(types(first.messages)).toEqual(['reasoning_message', 'approval_request_message'])
  const { messages, stop_reason } = await client.agents.messages.create(agentId, approve('call_1'))
  expect(types(messages)).toEqual(['tool_return_message', 'assistant_message'])
  expect(stop_reason.stop_reason).toBe('end_turn')
  expect(await human(agentId)).toBe('asked')
})
