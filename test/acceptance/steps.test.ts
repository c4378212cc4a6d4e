import { type Letta, NotFoundError, UnprocessableEntityError } from '@letta-ai/letta-client'
import { beforeAll, expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const UNKNOWN = 'step-01234567-89ab-4def-8123-456789abcdef'

const server = useServer()

let agentId: string
/** Of one turn: the first calls a tool, the last answers. Oldest first. */
let stepIds: string[]
beforeAll(async () => {
  const client = server.client()
  const agent = await client.agents.create({ model: MODEL, memory_blocks: [{ label: 'human', value: '' }] })
  agentId = agent.id
  await client.agents.messages.create(agentId, { input: 'My name is Nils.' })
  stepIds = (await client.steps.list({ agent_id: agentId, order: 'asc' })).items.map((step) => step.id)
  expect(stepIds.length).toBeGreaterThan(1)
})

/** Every operation that names a step refuses one that is not there, and what is no id. */
async function refusesOthers(ask: (stepId: string) => PromiseLike<unknown>): Promise<void> {
  await expect(ask(UNKNOWN)).rejects.toBeInstanceOf(NotFoundError)
  await expect(ask('nonsense')).rejects.toBeInstanceOf(UnprocessableEntityError)
}

operation(server, 'steps.retrieve', 'says what a call of the model cost', async (client) => {
  const step = await client.steps.retrieve(stepIds[0] ?? '')
  expect(step).toMatchObject({
    id: stepIds[0],
    agent_id: agentId,
    model_handle: MODEL,
    provider_category: 'base',
    status: 'success',
    feedback: null,
  })
  expect(step.total_tokens).toBe((step.prompt_tokens ?? 0) + (step.completion_tokens ?? 0))
  await refusesOthers((id) => client.steps.retrieve(id))
})

operation(server, 'steps.list', 'gives pages in both orders and filters', async (client) => {
  const idsOf = async (query: Parameters<Letta['steps']['list']>[0]) =>
    (await client.steps.list({ agent_id: agentId, ...query })).items.map((step) => step.id)
  const first = stepIds[0] ?? ''
  expect(await idsOf({})).toEqual(stepIds.toReversed())
  expect(await idsOf({ order: 'asc', after: first })).toEqual(stepIds.slice(1))
  expect(await idsOf({ before: first })).toEqual(stepIds.slice(1).toReversed())
  expect(await idsOf({ model: MODEL })).toHaveLength(stepIds.length)
  expect(await idsOf({ model: 'another' })).toEqual([])
  expect(await idsOf({ start_date: new Date(Date.now() + 60_000).toISOString() })).toEqual([])
  expect(await idsOf({ end_date: new Date(Date.now() + 60_000).toISOString() })).toHaveLength(stepIds.length)
  expect(await idsOf({ trace_ids: ['nothing'] })).toEqual([])
  const walked: string[] = []
  for await (const step of client.steps.list({ agent_id: agentId, limit: 1, order: 'asc' })) walked.push(step.id)
  expect(walked).toEqual(stepIds)
  await expect(client.steps.list({ after: UNKNOWN })).rejects.toBeInstanceOf(NotFoundError)
  await expect(client.steps.list({ agent_id: 'nonsense' })).rejects.toBeInstanceOf(UnprocessableEntityError)
  await expect(client.steps.list({ start_date: 'no date' })).rejects.toBeInstanceOf(UnprocessableEntityError)
})

operation(server, 'steps.feedback.create', 'is kept, found by and taken back', async (client) => {
  const id = stepIds[0] ?? ''
  const step = await client.steps.feedback.create(id, { feedback: 'positive', tags: ['liked'] })
  expect(step).toMatchObject({ id, feedback: 'positive', tags: ['liked'] })
  const idsOf = async (query: Parameters<Letta['steps']['list']>[0]) =>
    (await client.steps.list({ agent_id: agentId, ...query })).items.map((item) => item.id)
  expect(await idsOf({ feedback: 'positive' })).toEqual([id])
  expect(await idsOf({ feedback: 'negative' })).toEqual([])
  expect(await idsOf({ has_feedback: true })).toEqual([id])
  expect(await idsOf({ tags: ['liked'] })).toEqual([id])
  expect(await client.steps.feedback.create(id, { feedback: null })).toMatchObject({ feedback: null, tags: ['liked'] })
  expect(await idsOf({ has_feedback: true })).toEqual([])
  const wrong = client.steps.feedback.create(id, { feedback: 'so-so' as 'positive' })
  await expect(wrong).rejects.toBeInstanceOf(UnprocessableEntityError)
  await refusesOthers((other) => client.steps.feedback.create(other, { feedback: 'positive' }))
})

operation(server, 'steps.messages.list', 'gives what was said in a step', async (client) => {
  const { items } = await client.steps.messages.list(stepIds[0] ?? '')
  expect(items.map((message) => (message as { message_type: string }).message_type)).toEqual(
    expect.arrayContaining(['tool_call_message', 'tool_return_message']),
  )
  const last = await client.steps.messages.list(stepIds.at(-1) ?? '', { order: 'desc', limit: 1 })
  expect(last.items[0]).toMatchObject({ message_type: 'assistant_message' })
  await refusesOthers((id) => client.steps.messages.list(id))
})

operation(server, 'steps.metrics.retrieve', 'gives its times', async (client) => {
  const metrics = await client.steps.metrics.retrieve(stepIds[0] ?? '')
  expect(metrics).toMatchObject({ id: stepIds[0], agent_id: agentId })
  expect(metrics.tool_execution_ns).toBeGreaterThan(0)
  expect(metrics.step_ns).toBeGreaterThanOrEqual(metrics.llm_request_ns ?? Number.POSITIVE_INFINITY)
  expect(Math.abs((metrics.step_start_ns ?? 0) / 1e6 - Date.now())).toBeLessThan(600_000)
  await refusesOthers((id) => client.steps.metrics.retrieve(id))
})

operation(server, 'steps.trace.retrieve', 'is null unless the server keeps traces', async (client) => {
  const trace = await client.steps.trace.retrieve(stepIds[0] ?? '')
  // the operator of the server under test decides
  if (trace !== null) expect(trace).toMatchObject({ step_id: stepIds[0], request_json: expect.any(Object) })
  expect(await client.get(`/v1/telemetry/${stepIds[0]}`)).toEqual(trace)
  await refusesOthers((id) => client.steps.trace.retrieve(id))
})
