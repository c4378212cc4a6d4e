import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { buildServer } from '#server.ts'
import { statement } from '#store/db.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { HOSTILE_PATH } from '../support/hostile-values.ts'
import { multipartFile } from '../support/multipart.ts'
import { listOperations, type Operation, pathOf } from '../support/operations.ts'
import { idReference, isIdReference, valuesOf } from '../support/schema-values.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { createTestContext } from '../support/test-context.ts'
import { testEngine } from '../support/test-database.ts'

const REQUESTS = testEngine() === 'postgres' ? 5_000 : 2_000
/** Requests that are under way at once. */
const CLIENTS = 4
const SEED = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

/** Calls tools now and then, by what it is told, so that the same seed gives the same. */
const script: Script = (request) => {
  if (request.messages.at(-1)?.role === 'tool') return { text: 'Done \0\ud800.' }
  const said = lastUserText(request)
  const calls = [
    { name: 'memory_insert', arguments: { label: 'human', new_string: said } },
    { name: 'memory', arguments: { command: 'create', path: '/memories/notes', description: 'x', file_text: said } },
    { name: 'archival_memory_insert', arguments: { content: said, tags: ['a', said.slice(0, 10), 'a'] } },
    { name: 'conversation_search', arguments: { query: said } },
    { name: 'grep_files', arguments: { pattern: said } },
    { name: 'semantic_search_files', arguments: { query: said } },
    { name: 'open_files', arguments: { file_requests: [{ file_name: said }] } },
    { name: 'none', arguments: said },
  ]
  const toolCalls = calls.filter((_, index) => (said.length >> index) % 2 === 1)
  return toolCalls.length > 0 ? { text: said, toolCalls } : { reasoning: said, text: `Yes: ${said}` }
}

// not `startTestServer`: it holds answers against V1's schemas, where nonsense in a free-form field comes back as it was sent
let context: Context
let app: App
beforeAll(async () => {
  context = await createTestContext({ models: scriptedModel(script).registry })
  app = await buildServer(context)
  await app.ready()
})
afterAll(async () => {
  await app.close()
  await context[Symbol.asyncDispose]()
})

/** Ids that answers have shown, by prefix. */
const seen = new Map<string, string[]>()
const MAX_SEEN = 12
const UNKNOWN = '01234567-89ab-4def-8123-456789abcdef'

function remember(answer: string): void {
  for (const [id, prefix = ''] of answer.matchAll(
    /\b([a-z]+(?:[_-][a-z]+)*)-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g,
  )) {
    const known = seen.get(prefix) ?? []
    if (known.includes(id)) continue
    // the newest ones stay: older ones may have been deleted
    seen.set(prefix, [...known, id].slice(-MAX_SEEN))
  }
}

function pick(prefix: string, number: number): string {
  const known = seen.get(prefix) ?? []
  return known[number % (known.length + 1)] ?? `${prefix}-${UNKNOWN}`
}

function withIds(value: unknown): unknown {
  if (isIdReference(value)) return pick(value.$id, value.pick)
  if (Array.isArray(value)) return value.map(withIds)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, withIds(member)]))
}

const PREFIX_OF_PARAMETER: Record<string, string> = {
  memory_id: 'passage',
  model: 'agent',
  batch_id: 'job',
  conversation_id: 'conv',
  folder_id: 'source',
  source_id: 'source',
  scheduled_message_id: 'schedule',
  sandbox_config_id: 'sandbox',
  env_var_id: 'sandbox-env',
}

function pathValues(name: string): fc.Arbitrary<unknown> {
  if (name === 'block_label') return fc.constantFrom('human', 'persona', 'plan', 'a%20b', '%25')
  if (name === 'tool_name') return fc.constantFrom('memory_insert', 'none')
  return idReference(PREFIX_OF_PARAMETER[name] ?? name.replace(/_id$/, ''))
}

interface Sample {
  path: Record<string, unknown>
  query: Record<string, unknown>
  body: unknown
}

/** Requests of an operation; deletions are rare, so that there is something to work on. */
function samplesOf(operation: Operation): {
  weight: number
  arbitrary: fc.Arbitrary<{ operation: Operation; sample: Sample }>
} {
  const path = fc.record(
    Object.fromEntries(
      operation.pathParameters.map((name) => [
        name,
        fc.oneof(
          { weight: 30, arbitrary: pathValues(name) },
          { weight: 1, arbitrary: fc.constantFrom(...HOSTILE_PATH) },
        ),
      ]),
    ),
  )
  const query = fc.record(
    Object.fromEntries(
      Object.entries(operation.query).map(([name, schema]) => [name, fc.option(valuesOf(schema, name), { freq: 2 })]),
    ),
  )
  const body = operation.body === undefined ? fc.constant(undefined) : valuesOf(operation.body)
  const sample = fc.record({ path, query, body })
  const weight = operation.method === 'DELETE' ? 1 : operation.id === 'create_agent' ? 8 : operation.body ? 6 : 2
  return { weight, arbitrary: sample.map((values) => ({ operation, sample: values })) }
}

function toUrl(operation: Operation, { path, query }: Sample): string {
  const url = pathOf(operation, (name) => String(withIds(path[name])))
  const pairs = Object.entries(query)
    .filter(([, value]) => value !== null)
    .flatMap(([name, value]) =>
      [withIds(value)].flat().map((item) => [name, typeof item === 'object' ? JSON.stringify(item) : String(item)]),
    )
  const search = pairs.map(([name = '', value = '']) => `${name}=${encodeURIComponent(value.toWellFormed())}`).join('&')
  return search === '' ? url : `${url}?${search}`
}

async function problemOf(operation: Operation, sample: Sample): Promise<{ status: number; problem?: string }> {
  const url = toUrl(operation, sample)
  const payload = sample.body === undefined ? undefined : JSON.stringify(withIds(sample.body))
  const response = await app.inject({
    method: operation.method,
    url,
    ...(payload === undefined ? {} : { payload, headers: { 'content-type': 'application/json' } }),
  })
  const { statusCode: status } = response
  remember(response.body)
  const tell = (what: string) => ({
    status,
    problem: `${what}: ${operation.method} ${url}\n  ${payload?.slice(0, 1500)}\n  → ${status} ${response.body.slice(0, 400)}`,
  })
  if (status >= 500) return tell('fault')
  if (status < 300)
    return /"error_type":"internal_error"/.test(response.body) ? tell('fault in the stream') : { status }
  const { detail, error } = response.json<{ detail?: unknown; error?: { detail?: unknown; message?: unknown } }>()
  return (detail ?? error?.detail ?? error?.message) === undefined ? tell('no detail') : { status }
}

/** Things to work on; made again now and then, since requests delete them. */
async function makeThings(): Promise<void> {
  const create = async (url: string, payload: object) =>
    remember((await app.inject({ method: 'POST', url, payload })).body)
  for (const label of ['human', 'persona', 'plan']) await create('/v1/blocks/', { label, value: '' })
  const memory_blocks = [{ label: 'human', value: '' }]
  const agent = { model: 'openai/gpt-4o-mini', memory_blocks, tools: ['archival_memory_insert'] }
  // what waits for a person goes through other code than what does not
  const asking = { ...agent, tool_rules: [{ type: 'requires_approval', tool_name: 'archival_memory_insert' }] }
  for (const payload of [agent, agent, asking]) {
    const { body } = await app.inject({
      method: 'POST',
      url: '/v1/agents/?include=agent.blocks&include=agent.tools',
      payload,
    })
    remember(body)
    const { id } = JSON.parse(body) as { id: string }
    await create(`/v1/conversations/?agent_id=${id}`, { isolated_block_labels: ['human'] })
    await create(`/v1/conversations/default/fork?agent_id=${id}`, {})
  }
  const folder = await app.inject({ method: 'POST', url: '/v1/folders', payload: { name: crypto.randomUUID() } })
  remember(folder.body)
  const url = `/v1/folders/${folder.json<{ id: string }>().id}/upload`
  remember((await app.inject({ method: 'POST', url, ...multipartFile('a.txt', 'some\nlines') })).body)
}
const REQUESTS_BETWEEN_THINGS = 100

/** What works, or will start to in a moment. */
const countUnfinished = statement(
  'test-count-unfinished',
  `select (select count(*) from runs where status in ('created', 'running'))
     + (select count(*) from batches where completed_at is null)
     + (select count(*) from schedules where next_due_at < now() + interval '1 minute') as count`,
)

it(`bears ${REQUESTS} generated requests, four at a time`, async () => {
  console.log(`FUZZ_SEED=${SEED}`)
  const operations = listOperations(app)
  const samples = fc.sample(fc.oneof(...operations.map(samplesOf)), { numRuns: REQUESTS, seed: SEED })
  const problems: string[] = []
  const statuses = new Map<number, number>()
  const succeeded = new Set<string>()
  const queue = samples.values()
  let count = 0
  const work = async () => {
    for (const { operation, sample } of queue) {
      if (count++ % REQUESTS_BETWEEN_THINGS === 0) await makeThings()
      const { status, problem } = await problemOf(operation, sample)
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
      if (status < 300) succeeded.add(operation.id)
      if (problem !== undefined) problems.push(problem)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, work))
  expect(problems).toEqual([])
  // a generator whose requests are all refused would prove nothing
  console.log(
    `answers: ${JSON.stringify(Object.fromEntries(statuses))}, operations that succeeded: ${succeeded.size} of ${operations.length}`,
  )
  expect(succeeded.size).toBeGreaterThan(operations.length / 2)
  await expect.poll(() => context.db.query(countUnfinished), { timeout: 20_000, interval: 50 }).toEqual([{ count: 0 }])
  expect(await findBrokenInvariants(context.db)).toEqual([])
}, 120_000)
