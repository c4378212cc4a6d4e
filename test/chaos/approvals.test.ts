import { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { acceptanceServerEnv } from '../acceptance/support/server-env.ts'
import { freePort, type ServerProcess, startServerProcess } from '../support/server-process.ts'

let own: Awaited<ReturnType<typeof acceptanceServerEnv>>
let server: ServerProcess | undefined
beforeAll(async () => {
  own = await acceptanceServerEnv()
})
afterAll(async () => {
  await server?.stop()
  await own.remove()
})

async function start(): Promise<Letta> {
  server = await startServerProcess(await freePort(), own.env)
  return new Letta({ baseURL: server.url, apiKey: null, maxRetries: 0 })
}

it('a request for an approval survives kill -9, and so does the agent when it is answered or cancelled', async () => {
  let client = await start()
  const ask = async () => {
    const agent = await client.agents.create({
      model: 'perdure/demo',
      memory_blocks: [{ label: 'human', value: '' }],
      include_base_tools: false,
      tools: ['memory_insert'],
      tool_rules: [{ type: 'requires_approval', tool_name: 'memory_insert' }],
    })
    const { stop_reason } = await client.agents.messages.create(agent.id, { input: 'My name is Nils.' })
    expect(stop_reason.stop_reason).toBe('requires_approval')
    return agent.id
  }
  const approved = await ask()
  const cancelled = await ask()
  await server?.kill()
  client = await start()

  const { pending_approval } = await client.agents.retrieve(approved, { include: ['agent.pending_approval'] })
  const tool_call_id = String(pending_approval?.tool_call.tool_call_id)
  await expect(client.agents.messages.create(approved, { input: 'Hello?' })).rejects.toThrow('PENDING_APPROVAL')
  const { messages } = await client.agents.messages.create(approved, {
    messages: [{ type: 'approval', approvals: [{ type: 'approval', tool_call_id, approve: true }] }],
  })
  expect(messages[0]).toMatchObject({ message_type: 'tool_return_message', status: 'success', tool_call_id })
  expect((await client.agents.blocks.retrieve('human', { agent_id: approved })).value).toContain('Nils')

  expect(Object.values(await client.agents.messages.cancel(cancelled))).toEqual(['cancelled'])
  expect((await client.agents.blocks.retrieve('human', { agent_id: cancelled })).value).toBe('')
  for (const agentId of [approved, cancelled]) {
    const { stop_reason } = await client.agents.messages.create(agentId, { input: 'Hello.' })
    expect(stop_reason.stop_reason).toBe('end_turn')
  }
})
