import type { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const script: Script = (request) => {
  const said = lastUserText(request)
  const isAfterTool = request.messages.some((message, index) => message.role === 'tool' && index > 2)
  if (said.startsWith('search') && !isAfterTool) {
    return {
      toolCalls: [
        { name: 'conversation_search', arguments: { thinking: 'I look.', query: 'x', request_heartbeat: true } },
      ],
    }
  }
  if (said.startsWith('rebel')) return { toolCalls: [{ name: 'send_message', arguments: { message: 5 } }] }
  return { toolCalls: [{ name: 'send_message', arguments: { thinking: 'Be kind.', message: 'Hello "you".\n' } }] }
}

let server: TestServer
let client: Letta
beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel(script).registry })
  client = await server.sdk()
})
afterAll(() => server.close())

interface Chunk {
  message_type: string
  [field: string]: unknown
}

const newAgent = async () => {
  const agent = await client.agents.create({
    model: 'openai/gpt-4o-mini',
    agent_type: 'memgpt_agent',
    initial_message_sequence: [],
  })
  return agent.id
}

async function stream(agentId: string, body: Record<string, unknown>): Promise<Chunk[]> {
  const chunks: Chunk[] = []
  const events = await client.agents.messages.create(agentId, {
    input: 'hello',
    streaming: true,
    include_pings: false,
    ...body,
  })
  for await (const chunk of events as unknown as AsyncIterable<Chunk>) chunks.push(chunk)
  return chunks
}
const types = (messages: readonly unknown[]) => messages.map((message) => (message as Chunk).message_type)

describe('what an agent says with send_message', () => {
  it('is an assistant message, its thoughts are reasoning, and that it was sent is not told', async () => {
    const agentId = await newAgent()
    const { messages, stop_reason } = await client.agents.messages.create(agentId, { input: 'search and answer' })
    expect(stop_reason.stop_reason).toBe('end_turn')
    expect(types(messages)).toEqual([
      'reasoning_message',
      'tool_call_message',
      'tool_return_message',
      'reasoning_message',
      'assistant_message',
    ])
    expect(messages[3]).toMatchObject({ reasoning: 'Be kind.', source: 'non_reasoner_model' })
    expect(messages[4]).toMatchObject({ content: 'Hello "you".\n' })
    const { items } = await client.agents.messages.list(agentId)
    expect(types(items)).toEqual([
      'system_message',
      'user_message',
      ...types(messages).slice(0, 3),
      'user_message',
      ...types(messages).slice(3),
    ])
    expect((items[5] as { content?: string }).content).toContain('"type":"heartbeat"')
  })

  it('is shown as a call where the client wants to see calls', async () => {
    const agentId = await newAgent()
    const { messages } = await client.agents.messages.create(agentId, { input: 'hello', use_assistant_message: false })
    expect(types(messages)).toEqual(['reasoning_message', 'tool_call_message', 'tool_return_message'])
    const { items } = await client.agents.messages.list(agentId, { use_assistant_message: false })
    expect(types(items).slice(2)).toEqual(types(messages))
    const renamed = await client.agents.messages.list(agentId, { assistant_message_tool_kwarg: 'other' })
    expect(types(renamed.items).slice(2)).toEqual(['reasoning_message', 'tool_call_message'])
  })

  it('is streamed whole, or piece by piece', async () => {
    const agentId = await newAgent()
    expect(types(await stream(agentId, {}))).toEqual([
      'reasoning_message',
      'assistant_message',
      'stop_reason',
      'usage_statistics',
    ])
    const chunks = await stream(agentId, { stream_tokens: true })
    expect(types(chunks)).toEqual(['reasoning_message', 'assistant_message', 'stop_reason', 'usage_statistics'])
    expect(chunks[0]).toMatchObject({ reasoning: 'Be kind.', source: 'non_reasoner_model' })
    expect(chunks[1]).toMatchObject({ content: 'Hello "you".\n', id: chunks[0]?.id })
    const calls = await stream(agentId, { stream_tokens: true, use_assistant_message: false })
    expect(types(calls)).toContain('tool_call_message')
    expect(types(calls)).not.toContain('assistant_message')
  })

  it('is a call with an error where it cannot be said', async () => {
    const { messages } = await client.agents.messages.create(await newAgent(), { input: 'rebel', max_steps: 1 })
    expect(types(messages)).toEqual(['tool_call_message', 'tool_return_message'])
    expect(messages[1]).toMatchObject({ status: 'error' })
  })
})

it('begins a new thread of a memgpt agent with its first words, on a reset too where that is wanted', async () => {
  const agent = await client.agents.create({ model: 'openai/gpt-4o-mini', agent_type: 'memgpt_agent' })
  const shown = ['system_message', 'reasoning_message', 'assistant_message', 'user_message']
  expect(agent.message_ids).toHaveLength(4)
  expect(types((await client.agents.messages.list(agent.id)).items)).toEqual(shown)
  await client.agents.messages.reset(agent.id, { add_default_initial_messages: false })
  expect(types((await client.agents.messages.list(agent.id)).items)).toEqual(['system_message'])
  await client.agents.messages.reset(agent.id, { add_default_initial_messages: true })
  expect(types((await client.agents.messages.list(agent.id)).items)).toEqual(shown)
})
