import type { Letta } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

/** The demonstration model notes such facts with a memory tool. */
const FACT = 'My name is Nils.'

async function newAgent(client: Letta): Promise<string> {
  const agent = await client.agents.create({
    model: MODEL,
    memory_blocks: [{ label: 'human', value: '' }],
    include_base_tools: false,
    tools: ['memory_insert'],
  })
  await client.agents.tools.updateApproval('memory_insert', { agent_id: agent.id, body_requires_approval: true })
  return agent.id
}

const human = async (client: Letta, agentId: string) =>
  (await client.agents.blocks.retrieve('human', { agent_id: agentId })).value

/** An agent that waits, and the id of the call. */
async function waitingAgent(client: Letta): Promise<{ agentId: string; callId: string }> {
  const agentId = await newAgent(client)
  const { messages, stop_reason } = await client.agents.messages.create(agentId, { input: FACT })
  expect(stop_reason.stop_reason).toBe('requires_approval')
  const request = messages.at(-1)
  if (request?.message_type !== 'approval_request_message') throw new Error('no request')
  return { agentId, callId: String(request.tool_call.tool_call_id) }
}

operation(
  server,
  'agents.tools.updateApproval',
  'lets a tool wait for an approval, and wait no more',
  async (client) => {
    const agentId = await newAgent(client)
    const rule = { type: 'requires_approval', tool_name: 'memory_insert', prompt_template: null }
    expect((await client.agents.retrieve(agentId)).tool_rules).toEqual([rule])
    await client.agents.tools.updateApproval('memory_insert', { agent_id: agentId, body_requires_approval: false })
    expect((await client.agents.retrieve(agentId)).tool_rules).toEqual([])
    const { stop_reason } = await client.agents.messages.create(agentId, { input: FACT })
    expect(stop_reason.stop_reason).toBe('end_turn')
  },
)

operation(server, 'agents.messages.create', 'carries out what a person approves', async (client) => {
  const { agentId, callId } = await waitingAgent(client)
  const agent = await client.agents.retrieve(agentId, { include: ['agent.pending_approval'] })
  expect(agent.pending_approval?.tool_call.tool_call_id).toBe(callId)
  const approvals = [{ type: 'approval' as const, tool_call_id: callId, approve: true }]
  const { messages } = await client.agents.messages.create(agentId, { messages: [{ type: 'approval', approvals }] })
  expect(messages[0]).toMatchObject({ message_type: 'tool_return_message', status: 'success', tool_call_id: callId })
  expect(await human(client, agentId)).toContain('Nils')
})

operation(server, 'agents.messages.create', 'lets the client execute its own tools', async (client) => {
  const agent = await client.agents.create({
    model: MODEL,
    memory_blocks: [{ label: 'human', value: '' }],
    include_base_tools: false,
    tools: ['memory_insert'],
  })
  const client_tools = [{ name: 'memory_insert', description: 'Notes something.', parameters: { type: 'object' } }]
  const first = await client.agents.messages.create(agent.id, { input: FACT, client_tools })
  const request = first.messages.at(-1)
  if (request?.message_type !== 'approval_request_message') throw new Error('no request')
  const tool_call_id = String(request.tool_call.tool_call_id)
  const { messages } = await client.agents.messages.create(agent.id, {
    messages: [{ type: 'tool_return', tool_returns: [{ tool_call_id, tool_return: 'noted', status: 'success' }] }],
  })
  expect(messages[0]).toMatchObject({ tool_return: 'noted', status: 'success' })
  expect(await human(client, agent.id)).toBe('')
})

operation(server, 'agents.messages.stream', 'tells the request, and the results first', async (client) => {
  const agentId = await newAgent(client)
  const types: string[] = []
  let callId = ''
  for await (const chunk of await client.agents.messages.stream(agentId, { input: FACT, stream_tokens: true })) {
    types.push(chunk.message_type ?? '')
    if (chunk.message_type === 'approval_request_message') callId ||= String(chunk.tool_call.tool_call_id)
  }
  expect(types).toContain('approval_request_message')
  const approvals = [{ type: 'approval' as const, tool_call_id: callId, approve: false, reason: 'No.' }]
  const answer: unknown[] = []
  const events = await client.agents.messages.stream(agentId, {
    messages: [{ type: 'approval', approvals }],
    include_pings: false,
  })
  for await (const chunk of events) answer.push(chunk)
  expect(answer[0]).toMatchObject({ message_type: 'tool_return_message', status: 'error' })
})

operation(server, 'agents.messages.cancel', 'denies what waits, and the agent goes on', async (client) => {
  const { agentId } = await waitingAgent(client)
  expect(Object.values(await client.agents.messages.cancel(agentId))).toEqual(['cancelled'])
  const { stop_reason } = await client.agents.messages.create(agentId, { input: 'Hello.' })
  expect(stop_reason.stop_reason).toBe('end_turn')
})

operation(
  server,
  'agents.messages.list',
  'shows what a memgpt agent said with its tool as messages',
  async (client) => {
    const agent = await client.agents.create({ model: MODEL, agent_type: 'memgpt_agent' })
    const { messages, stop_reason } = await client.agents.messages.create(agent.id, { input: 'Hello.' })
    expect(stop_reason.stop_reason).toBe('end_turn')
    expect(messages.at(-1)).toMatchObject({ message_type: 'assistant_message' })
    const { items } = await client.agents.messages.list(agent.id, { limit: 1 })
    expect(items[0]).toMatchObject({ id: messages.at(-1)?.id })
  },
)
