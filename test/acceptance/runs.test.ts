import { type Letta, NotFoundError, UnprocessableEntityError } from '@letta-ai/letta-client'
import { beforeAll, expect, it, vi } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const UNKNOWN = 'run-01234567-89ab-4def-8123-456789abcdef'

const server = useServer()

interface Turn {
  agentId: string
  runId: string
}

/** A turn in which the demonstration model keeps a fact, so that it has a step with a tool and one with an answer. */
async function takeTurn(client: Letta, said = 'My name is Nils.'): Promise<Turn> {
  const agent = await client.agents.create({ model: MODEL, memory_blocks: [{ label: 'human', value: '' }] })
  const run = await client.agents.messages.createAsync(agent.id, { input: said })
  const isCompleted = async () => (await client.runs.retrieve(run.id)).status === 'completed'
  await vi.waitUntil(isCompleted, { timeout: 20_000, interval: 50 })
  return { agentId: agent.id, runId: run.id }
}

let turn: Turn
beforeAll(async () => {
  turn = await takeTurn(server.client())
})

/** Every operation that names a run refuses one that is not there, and what is no id. */
async function refusesOthers(ask: (runId: string) => PromiseLike<unknown>): Promise<void> {
  await expect(ask(UNKNOWN)).rejects.toBeInstanceOf(NotFoundError)
  await expect(ask('nonsense')).rejects.toBeInstanceOf(UnprocessableEntityError)
}

operation(server, 'runs.retrieve', 'says how a run went', async (client) => {
  const run = await client.runs.retrieve(turn.runId)
  expect(run).toMatchObject({
    id: turn.runId,
    agent_id: turn.agentId,
    status: 'completed',
    stop_reason: 'end_turn',
    background: true,
    conversation_id: null,
    metadata: { run_type: 'send_message_async' },
  })
  expect(Date.parse(run.completed_at ?? '')).toBeGreaterThanOrEqual(Date.parse(run.created_at ?? ''))
  expect(run.total_duration_ns).toBeGreaterThan(0)
  await refusesOthers((id) => client.runs.retrieve(id))
})

operation(server, 'runs.list', 'gives pages in both orders and filters', async (client) => {
  const { agentId, runId } = await takeTurn(client)
  const second = await client.agents.messages.create(agentId, { input: 'Who am I?' })
  const secondId = (second.messages[0] as { run_id?: string }).run_id ?? ''
  const idsOf = async (query: Parameters<Letta['runs']['list']>[0]) =>
    (await client.runs.list({ agent_id: agentId, ...query })).items.map((run) => run.id)
  expect(await idsOf({})).toEqual([secondId, runId])
  expect(await idsOf({ order: 'asc' })).toEqual([runId, secondId])
  expect(await idsOf({ after: secondId })).toEqual([runId])
  expect(await idsOf({ before: runId })).toEqual([secondId])
  expect(await idsOf({ order: 'asc', after: runId })).toEqual([secondId])
  expect(await idsOf({ background: true })).toEqual([runId])
  expect(await idsOf({ statuses: ['failed'] })).toEqual([])
  expect(await idsOf({ active: true })).toEqual([])
  expect(await idsOf({ stop_reason: 'end_turn', conversation_id: 'default' })).toEqual([secondId, runId])
  const walked: string[] = []
  for await (const run of client.runs.list({ agent_id: agentId, limit: 1 })) walked.push(run.id)
  expect(walked).toEqual([secondId, runId])
  await expect(client.runs.list({ after: UNKNOWN })).rejects.toBeInstanceOf(NotFoundError)
  await expect(client.runs.list({ agent_id: 'nonsense' })).rejects.toBeInstanceOf(UnprocessableEntityError)
})

operation(server, 'runs.messages.list', 'gives what was said in a run, oldest first', async (client) => {
  const { items } = await client.runs.messages.list(turn.runId)
  expect(items[0]).toMatchObject({ message_type: 'user_message', content: 'My name is Nils.', run_id: turn.runId })
  expect(items.at(-1)?.message_type).toBe('assistant_message')
  expect(items.map((message) => message.message_type)).toContain('tool_call_message')
  const newest = await client.runs.messages.list(turn.runId, { order: 'desc', limit: 1 })
  expect(newest.items[0]).toMatchObject({ message_type: 'assistant_message' })
  await refusesOthers((id) => client.runs.messages.list(id))
})

operation(server, 'runs.messages.stream', 'tells a run again from an event on', async (client) => {
  const read = async (startingAfter: number) => {
    const seen: { type: string | undefined; seq: number | null | undefined }[] = []
    for await (const event of await client.runs.messages.stream(turn.runId, { starting_after: startingAfter })) {
      const { message_type: type, seq_id: seq } = event as { message_type?: string; seq_id?: number | null }
      if (type !== 'ping') seen.push({ type, seq })
    }
    return seen
  }
  const all = await read(0)
  expect(all.at(-1)?.type).toBe('usage_statistics')
  const numbers = all.map(({ seq }) => Number(seq))
  expect(numbers).toEqual([...new Set(numbers)].toSorted((a, b) => a - b))
  expect(await read(numbers[1] ?? 0)).toEqual(all.slice(2))
  await refusesOthers(async (id) => {
    for await (const _ of await client.runs.messages.stream(id)) break
  })
})

operation(server, 'runs.steps.list', 'gives the steps, newest first', async (client) => {
  const { items } = await client.runs.steps.list(turn.runId)
  expect(items.length).toBeGreaterThan(1)
  expect(items.every((step) => step.run_id === turn.runId && step.agent_id === turn.agentId)).toBe(true)
  const oldest = await client.runs.steps.list(turn.runId, { order: 'asc' })
  expect(oldest.items.map((step) => step.id)).toEqual(items.map((step) => step.id).toReversed())
  const next = await client.runs.steps.list(turn.runId, { limit: 1, after: items[0]?.id ?? '' })
  expect(next.items[0]?.id).toBe(items[1]?.id)
  await refusesOthers((id) => client.runs.steps.list(id))
})

operation(server, 'runs.usage.retrieve', 'sums up all steps', async (client) => {
  const usage = await client.runs.usage.retrieve(turn.runId)
  const { items } = await client.runs.steps.list(turn.runId)
  expect(usage.total_tokens).toBe(items.reduce((sum, step) => sum + (step.total_tokens ?? 0), 0))
  expect(usage.prompt_tokens).toBeGreaterThan(0)
  await refusesOthers((id) => client.runs.usage.retrieve(id))
})

operation(server, 'runs.trace.retrieve', 'gives the course of a run as spans', async (client) => {
  const spans = await client.runs.trace.retrieve(turn.runId)
  const { items } = await client.runs.steps.list(turn.runId)
  const named = (name: string) => spans.filter((span) => span.SpanName === name)
  expect(named('agent_run')).toHaveLength(1)
  expect(named('agent_step')).toHaveLength(items.length)
  expect(spans.length).toBeGreaterThan(items.length + 1)
  expect(await client.runs.trace.retrieve(turn.runId, { limit: 1 })).toHaveLength(1)
  await refusesOthers((id) => client.runs.trace.retrieve(id))
})

it('the metrics of a run, and the runs that work, have no method in the client', async () => {
  const client = server.client()
  const metrics = await client.get<{ num_steps: number; tools_used: string[] }>(`/v1/runs/${turn.runId}/metrics`)
  expect(metrics.num_steps).toBeGreaterThan(1)
  expect(metrics.tools_used.length).toBeGreaterThan(0)
  expect(await client.get(`/v1/runs/active?agent_id=${turn.agentId}`)).toEqual([])
})
