import type { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelError } from '#llm/model.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

/** What the model does depends on what the user says. */
const script: Script = (request) => {
  const said = lastUserText(request)
  const isAfterTool = request.messages.at(-1)?.role === 'tool'
  if (said.startsWith('remember') && !isAfterTool) {
    return {
      reasoning: 'I should note this.',
      text: 'Let me note that.',
      toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: said } }],
    }
  }
  if (said.startsWith('broken'))
    return { error: new ModelError('rate_limit', 'openai: slow down', { status: 429, retryAfterMs: 3000 }) }
  if (said.startsWith('slow')) return { text: 'At last.', delayMs: 60_000 }
  return { text: `You said: ${said}` }
}

let server: TestServer
let client: Letta
beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel(script).registry })
  client = await server.sdk()
})
afterAll(() => server.close())

const newAgent = async (): Promise<string> => {
  const agent = await client.agents.create({
    model: 'openai/gpt-4o-mini',
    memory_blocks: [
      { label: 'human', value: '' },
      { label: 'persona', value: 'I am Ada.' },
    ],
  })
  return agent.id
}

interface Chunk {
  message_type: string
  [field: string]: unknown
}

async function collect(stream: AsyncIterable<unknown>): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  for await (const chunk of stream) chunks.push(chunk as Chunk)
  return chunks
}
const types = (messages: readonly unknown[]) => messages.map((message) => (message as Chunk).message_type)

describe('messages.create', () => {
  it('answers with the messages, the stop reason and the usage', async () => {
    const response = await client.agents.messages.create(await newAgent(), { input: 'hello' })
    expect(response.messages).toMatchObject([{ message_type: 'assistant_message', content: 'You said: hello' }])
    expect(response.stop_reason).toEqual({ message_type: 'stop_reason', stop_reason: 'end_turn' })
    expect(response.usage).toMatchObject({ message_type: 'usage_statistics', step_count: 1, total_tokens: 110 })
  })

  it('expands reasoning, text and call of one stored message, with numbered otids under one id', async () => {
    const { messages } = await client.agents.messages.create(await newAgent(), {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'remember that I sail' }] }],
    })
    expect(types(messages)).toEqual([
      'reasoning_message',
      'assistant_message',
      'tool_call_message',
      'tool_return_message',
      'assistant_message',
    ])
    const [reasoning, text, call, result] = messages as unknown as Chunk[]
    expect(new Set([reasoning?.id, text?.id, call?.id]).size).toBe(1)
    expect([reasoning, text, call].map((message) => String(message?.otid).at(-1))).toEqual(['0', '1', '2'])
    expect(reasoning).toMatchObject({ reasoning: 'I should note this.', signature: 'signed', source: 'reasoner_model' })
    expect(call).toMatchObject({ tool_call: { name: 'memory_insert' }, tool_calls: [{ name: 'memory_insert' }] })
    expect(result).toMatchObject({
      status: 'success',
      tool_return: 'remember that I sail',
      tool_returns: [{ type: 'tool' }],
    })
    expect(result?.tool_call_id).toBe((call as { tool_call?: { tool_call_id: string } })?.tool_call?.tool_call_id)
  })

  it('gives only the types that are wanted', async () => {
    const { messages } = await client.agents.messages.create(await newAgent(), {
      input: 'remember this',
      include_return_message_types: ['tool_call_message'],
    })
    expect(types(messages)).toEqual(['tool_call_message'])
  })

  it('passes the provider error on, with its status, and keeps what was said', async () => {
    const agentId = await newAgent()
    const failed = await server.request('POST', `/v1/agents/${agentId}/messages`, { input: 'broken' })
    expect(failed.status).toBe(429)
    expect(failed.headers['retry-after']).toBe('3')
    expect(failed.body).toMatchObject({ error: { type: 'llm_rate_limit', message: 'openai: slow down' } })
    const { items } = await client.agents.messages.list(agentId)
    expect(items.at(-1)).toMatchObject({ message_type: 'user_message', content: 'broken' })
    expect((await client.agents.messages.create(agentId, { input: 'again' })).stop_reason.stop_reason).toBe('end_turn')
  })

  it.each([
    [{}, 422],
    [{ input: 'a', messages: [{ role: 'user', content: 'b' }] }, 422],
    [{ messages: [] }, 422],
    [{ input: '   ' }, 422],
    [{ messages: [{ role: 'user' }] }, 422],
    [{ messages: [{ role: 'narrator', content: 'x' }] }, 422],
    [{ input: 5 }, 422],
    [{ input: 'a', max_steps: 0 }, 422],
    [{ input: 'a', background: true }, 422],
    [{ input: 'a', client_tools: [{ name: 'not a name' }] }, 422],
    [{ input: 'a', client_tools: [{ name: 'x' }, { name: 'x' }] }, 422],
    [{ input: 'a', return_logprobs: true }, 400],
    [{ input: 'a', return_token_ids: true }, 400],
    [{ messages: [{ type: 'approval' }] }, 422],
    [{ messages: [{ type: 'approval', approve: true, approval_request_id: 'x' }] }, 400],
  ])('refuses %j', async (body, status) => {
    const agentId = await newAgent()
    const response = await server.request('POST', `/v1/agents/${agentId}/messages`, body)
    expect(response.status).toBe(status)
    expect(response.body).toHaveProperty('detail')
    expect((await client.agents.messages.list(agentId)).items).toHaveLength(1)
  })

  it('knows no agent of another id', async () => {
    const id = 'agent-00000000-0000-4000-8000-00000000dead'
    for (const path of ['messages', 'messages/stream', 'messages/async']) {
      expect((await server.request('POST', `/v1/agents/${id}/${path}`, { input: 'a' })).status).toBe(404)
      expect((await server.request('POST', `/v1/agents/nonsense/${path}`, { input: 'a' })).status).toBe(422)
    }
    expect((await server.request('GET', `/v1/agents/${id}/messages`)).status).toBe(404)
    expect((await server.request('PATCH', `/v1/agents/${id}/reset-messages`, {})).status).toBe(404)
    expect((await server.request('POST', `/v1/agents/${id}/messages/cancel`, {})).status).toBe(404)
  })
})

it('takes what asks for no log probabilities', async () => {
  const body = { input: 'hello', return_logprobs: false, top_logprobs: null, return_token_ids: false }
  const { status } = await server.request('POST', `/v1/agents/${await newAgent()}/messages`, body)
  expect(status).toBe(200)
})

describe('messages.stream', () => {
  it('streams whole messages after each step', async () => {
    const chunks = await collect(await client.agents.messages.stream(await newAgent(), { input: 'remember me' }))
    expect(types(chunks)).toEqual([
      'ping',
      'reasoning_message',
      'assistant_message',
      'tool_call_message',
      'tool_return_message',
      'assistant_message',
      'stop_reason',
      'usage_statistics',
    ])
    expect(chunks[0]?.run_id).toMatch(/^run-/)
  })

  it('streams tokens that join to what is stored, under the same id', async () => {
    const agentId = await newAgent()
    const stream = await client.agents.messages.stream(agentId, {
      input: 'remember a few more words',
      stream_tokens: true,
      include_pings: false,
    })
    const chunks = await collect(stream)
    const stored = (await client.agents.messages.list(agentId)).items as unknown as Chunk[]
    for (const type of ['reasoning_message', 'assistant_message'] as const) {
      const field = type === 'reasoning_message' ? 'reasoning' : 'content'
      for (const message of stored.filter((item) => item.message_type === type)) {
        const pieces = chunks.filter((chunk) => chunk.message_type === type && chunk.id === message.id)
        expect(pieces.map((piece) => piece[field]).join('')).toBe(message[field])
        expect(new Set(pieces.map((piece) => piece.otid))).toEqual(new Set([message.otid]))
      }
    }
    const calls = chunks.filter((chunk) => chunk.message_type === 'tool_call_message')
    expect(Array.isArray(calls[0]?.tool_calls)).toBe(false)
    const args = calls.map((chunk) => (chunk.tool_call as { arguments: string }).arguments).join('')
    expect(JSON.parse(args)).toEqual({ label: 'human', new_string: 'remember a few more words' })
    expect(types(chunks).slice(-2)).toEqual(['stop_reason', 'usage_statistics'])
    const signed = chunks.find((chunk) => chunk.message_type === 'reasoning_message' && chunk.signature === 'signed')
    expect(signed).toMatchObject({ reasoning: '' })
  })

  it('is what create gives with streaming: true', async () => {
    const stream = await client.agents.messages.create(await newAgent(), {
      input: 'hi',
      streaming: true,
      stream_tokens: true,
    })
    expect(types(await collect(stream)).at(-1)).toBe('usage_statistics')
  })

  it('tells a failure as an error event, which the SDK throws', async () => {
    const agentId = await newAgent()
    const chunks: Chunk[] = []
    const reading = (async () => {
      for await (const chunk of await client.agents.messages.stream(agentId, { input: 'broken' }))
        chunks.push(chunk as unknown as Chunk)
    })()
    await expect(reading).rejects.toThrow(/slow down/)
    expect(types(chunks)).toEqual(['ping', 'stop_reason'])
    const url = `${await server.baseUrl()}/v1/agents/${agentId}/messages/stream`
    const raw = await (
      await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"input":"broken"}' })
    ).text()
    expect(raw).toMatch(/event: error\ndata: \{"message_type":"error_message",.*"run_id":"run-.*"seq_id":\d+\}/)
    expect(raw.endsWith('data: [DONE]\n\n')).toBe(true)
  })

  it('goes on when the client has gone', async () => {
    const agentId = await newAgent()
    const abort = new AbortController()
    const response = await fetch(`${await server.baseUrl()}/v1/agents/${agentId}/messages/stream`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ input: 'remember this although I leave' }),
      signal: abort.signal,
    })
    await response.body?.getReader().read()
    abort.abort()
    await expect
      .poll(async () => (await client.agents.messages.list(agentId, { limit: 1 })).items[0])
      .toMatchObject({ message_type: 'assistant_message', content: 'You said: remember this although I leave' })
  })
})

describe('the system message', () => {
  it('has what a client writes to a block of the agent at once', async () => {
    const agentId = await newAgent()
    await client.agents.blocks.update('human', { agent_id: agentId, value: 'Likes cats.' })
    const { items } = await client.agents.messages.list(agentId)
    expect(items[0]).toMatchObject({ message_type: 'system_message', content: expect.stringContaining('Likes cats.') })
  })
})

describe('messages.list', () => {
  it('gives the newest, oldest first; after is newer and before is older, whatever the order', async () => {
    const agentId = await newAgent()
    for (const text of ['one', 'two', 'three']) await client.agents.messages.create(agentId, { input: text })
    const contents = (items: unknown[]) => (items as Chunk[]).map((item) => item.content)
    const all = (await client.agents.messages.list(agentId)).items as unknown as Chunk[]
    expect(types(all)).toEqual(['system_message', ...Array(3).fill(['user_message', 'assistant_message']).flat()])
    expect(contents((await client.agents.messages.list(agentId, { limit: 1 })).items)).toEqual(['You said: three'])
    const first = await client.agents.messages.list(agentId, { limit: 2, order: 'asc' })
    expect(types(first.items)).toEqual(['system_message', 'user_message'])
    const two = all.find((item) => item.content === 'two')
    for (const order of ['asc', 'desc'] as const) {
      const newer = await client.agents.messages.list(agentId, { after: String(two?.id), order })
      expect(contents(newer.items)).toEqual(['You said: two', 'three', 'You said: three'])
      const older = await client.agents.messages.list(agentId, { before: String(two?.id), order, limit: 2 })
      expect(contents(older.items).slice(order === 'desc' ? 0 : 1)).toEqual(
        order === 'desc' ? ['one', 'You said: one'] : ['one'],
      )
    }
    expect(
      (await server.request('GET', `/v1/agents/${agentId}/messages?after=message-00000000-0000-4000-8000-000000000000`))
        .status,
    ).toBe(404)
    const only = await client.agents.messages.list(agentId, { include_return_message_types: ['user_message'] })
    expect(contents(only.items)).toEqual(['one', 'two', 'three'])
  })
})

describe('two clients', () => {
  it('send 50 messages each to one agent at once: each is answered once, and no turn is in the middle of another', async () => {
    const agentId = await newAgent()
    const send = (name: string) =>
      Promise.all(
        Array.from({ length: 50 }, async (_, index) => {
          const input = index % 5 === 0 ? `remember ${name}${index}` : `${name}${index}`
          const { messages } = await client.agents.messages.create(agentId, { input })
          expect(messages.at(-1)).toMatchObject({ content: `You said: ${input}` })
          return input
        }),
      )
    const sent = (await Promise.all([send('a'), send('b')])).flat()
    const { items } = await client.agents.messages.list(agentId, { limit: 1000 })
    const turns: Chunk[][] = []
    for (const message of (items as unknown as Chunk[]).slice(1)) {
      if (message.message_type === 'user_message') turns.push([])
      turns.at(-1)?.push(message)
    }
    expect(turns.map(([said]) => said?.content).sort()).toEqual(sent.sort())
    for (const turn of turns) {
      expect(new Set(turn.map((message) => message.run_id)).size).toBe(1)
      expect(turn.at(-1)?.content).toBe(`You said: ${turn[0]?.content}`)
    }
  })
})

describe('messages.createAsync, cancel, reset', () => {
  it('gives the run at once and answers later', async () => {
    const agentId = await newAgent()
    const run = await client.agents.messages.createAsync(agentId, { input: 'later' })
    expect(run).toMatchObject({ agent_id: agentId, background: true, metadata: { run_type: 'send_message_async' } })
    await expect.poll(async () => (await client.runs.retrieve(run.id)).status).toBe('completed')
    const messages = await client.runs.messages.list(run.id)
    expect(types(messages.items)).toEqual(['user_message', 'assistant_message'])
  })

  it('cancels the running run within a second, and says so in its stream', async () => {
    const agentId = await newAgent()
    const streaming = collect(await client.agents.messages.stream(agentId, { input: 'slow' }))
    await expect.poll(async () => (await client.runs.list({ agent_id: agentId, active: true })).items.length).toBe(1)
    const startedAt = Date.now()
    const outcome = await client.agents.messages.cancel(agentId)
    expect(Object.values(outcome)).toEqual(['cancelled'])
    const chunks = await streaming
    expect(Date.now() - startedAt).toBeLessThan(1000)
    expect(chunks.at(-2)).toMatchObject({ message_type: 'stop_reason', stop_reason: 'cancelled' })
    const [runId = ''] = Object.keys(outcome)
    expect(await client.runs.retrieve(runId)).toMatchObject({ status: 'cancelled', stop_reason: 'cancelled' })
    const nothing = await server.request('POST', `/v1/agents/${agentId}/messages/cancel`, {})
    expect(nothing.status).toBe(409)
    expect(nothing.body).toEqual({ detail: `CONFLICT: No active runs to cancel for agent ${agentId}` })
    const other = await client.agents.messages.create(agentId, { input: 'hello' })
    expect(types(other.messages)).toEqual(['assistant_message'])
  })

  it('resets the conversation and keeps the memory; a busy one is left alone', async () => {
    const agentId = await newAgent()
    await client.agents.messages.create(agentId, { input: 'remember my boat' })
    expect(await client.agents.messages.reset(agentId, { add_default_initial_messages: false })).toBeNull()
    const { items } = await client.agents.messages.list(agentId)
    expect(types(items)).toEqual(['system_message'])
    expect(JSON.stringify(items[0])).toContain('remember my boat')
    await client.agents.messages.createAsync(agentId, { input: 'slow' })
    const busy = await server.request('PATCH', `/v1/agents/${agentId}/reset-messages`, {})
    expect(busy.status).toBe(409)
    expect(busy.body.run_id).toMatch(/^run-/)
    await client.agents.messages.cancel(agentId)
  })

  it('does not change what was said', async () => {
    const agentId = await newAgent()
    const id = 'message-00000000-0000-4000-8000-000000000000'
    expect((await server.request('PATCH', `/v1/agents/${agentId}/messages/${id}`, {})).status).toBe(405)
  })
})
