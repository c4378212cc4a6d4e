import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { multipartFile } from '../support/multipart.ts'
import { listOperations, type Operation, pathOf } from '../support/operations.ts'
import { isIdReference, valuesOf } from '../support/schema-values.ts'
import { type Script, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const SAMPLES = 6
const UNKNOWN = '01234567-89ab-4def-8123-456789abcdef'
const ID = /\b([a-z]+(?:[_-][a-z]+)*)-[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}\b/g
const PREFIX_OF_PARAMETER: Record<string, string> = {
  memory_id: 'passage',
  batch_id: 'job',
  conversation_id: 'conv',
  folder_id: 'source',
  scheduled_message_id: 'schedule',
  sandbox_config_id: 'sandbox',
  env_var_id: 'sandbox-env',
  mcp_server_id: 'mcp_server',
  model: 'agent',
}

const script: Script = ({ messages }, index) =>
  index === 0 && messages.at(-1)?.role === 'user'
    ? { toolCalls: [{ name: 'archival_memory_insert', arguments: { content: 'theirs' } }] }
    : { text: 'Done.' }

let server: TestServer
/** What the owner has, by prefix. */
const owned = new Map<string, string[]>()
let theirTemplate = ''
let theirProject = ''
beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel(script).registry })
  await fill()
  const tables = await listTables()
  for (const table of tables) {
    const read = statement(`test-ids-${table}`, `select t::text as text from ${table} as t where organization_id = $1`)
    for (const { text } of await server.context.db.query<{ text: string }>(read, [DEFAULT_ORGANIZATION_ID])) {
      for (const [id, prefix = ''] of text.matchAll(ID)) {
        if (!(owned.get(prefix) ?? []).includes(id)) owned.set(prefix, [...(owned.get(prefix) ?? []), id])
      }
    }
  }
}, 60_000)
afterAll(() => server.close())

const listTables = async () =>
  (
    await server.context.db.query<{ name: string }>(
      statement(
        'test-tables-of-tenants',
        `select c.relname as name from pg_class as c join pg_attribute as a on a.attrelid = c.oid and a.attname = 'organization_id'
         where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1`,
      ),
      [],
    )
  ).map(({ name }) => name)

async function post(url: string, body: object = {}, method: 'POST' | 'PATCH' = 'POST') {
  const response = await server.request<{ id: string; name: string }>(method, url, body)
  expect(response.status, `${url} ${JSON.stringify(response.body)}`).toBeLessThan(300)
  return response.body
}

/** One of everything, of the first organisation. */
async function fill(): Promise<void> {
  const model = 'openai/gpt-4o-mini'
  const agent = await post('/v1/agents', {
    model,
    memory_blocks: [{ label: 'human', value: 'theirs' }],
    tags: ['theirs'],
  })
  await post(`/v1/agents/${agent.id}/messages`, { input: 'theirs' })
  const conversation = await post(`/v1/conversations?agent_id=${agent.id}`, { isolated_block_labels: ['human'] })
  await post(`/v1/conversations/${conversation.id}/messages`, { input: 'theirs', streaming: false })
  const folder = await post('/v1/folders', { name: 'theirs' })
  const upload = multipartFile('theirs.txt', 'theirs')
  await server.app.inject({ method: 'POST', url: `/v1/folders/${folder.id}/upload`, ...upload })
  await post(`/v1/agents/${agent.id}/folders/attach/${folder.id}`, {}, 'PATCH')
  await post('/v1/archives', { name: 'theirs' })
  await post('/v1/blocks', { label: 'theirs', value: 'theirs' })
  await post('/v1/identities', { identifier_key: 'theirs', name: 'theirs', identity_type: 'user' })
  await post('/v1/groups', { agent_ids: [agent.id], description: 'theirs' })
  await post('/v1/tools', { source_code: 'def theirs():\n  "D."\n' })
  await post(`/v1/agents/${agent.id}/schedule`, {
    messages: [{ role: 'user', content: 'theirs' }],
    schedule: { type: 'one-time', scheduled_at: 4e12 },
  })
  const job = await post('/v1/messages/batches', {
    requests: [{ agent_id: agent.id, messages: [{ role: 'user', content: 'theirs' }] }],
  })
  // nothing of it goes on while others ask
  for (let status: unknown; status !== 'completed'; await sleep(20)) {
    status = (await server.request('GET', `/v1/messages/batches/${job.id}`)).body.status
  }
  theirTemplate = (await post('/v1/templates', { type: 'agent', agent_id: agent.id })).name
  theirProject = (await post('/v1/projects', { name: 'Theirs' })).id
  const config = { mcp_server_type: 'streamable_http', server_url: 'https://mcp.invalid/mcp' }
  await post('/v1/mcp-servers', { server_name: 'theirs', config })
  const sandbox = await post('/v1/sandbox-config', { config: { sandbox_dir: '/tmp' } })
  await post(`/v1/sandbox-config/${sandbox.id}/environment-variable`, { key: 'THEIRS', value: 'theirs' })
}

/** Everything of the first organisation, as one sum for each table. */
async function readOwner(): Promise<Record<string, string>> {
  const sums: Record<string, string> = {}
  for (const table of await listTables()) {
    const read = statement(
      `test-sum-${table}`,
      `select coalesce(md5(string_agg(md5(t::text), '' order by md5(t::text))), 'none') as sum from ${table} as t where organization_id = $1`,
    )
    const [row] = await server.context.db.query<{ sum: string }>(read, [DEFAULT_ORGANIZATION_ID])
    sums[table] = row?.sum ?? ''
  }
  return sums
}

function fillIn(value: unknown, idOf: (prefix: string) => string): unknown {
  if (isIdReference(value)) return idOf(value.$id)
  if (Array.isArray(value)) return value.map((item) => fillIn(item, idOf))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, fillIn(member, idOf)]))
}

it("another organisation's ids are as unknown as ids that nobody has, to every operation", async () => {
  // two, so that what one has made is not in the way of the other
  const [guesser, stranger] = [await server.addOrganization(), await server.addOrganization()]
  const before = await readOwner()
  const wrong: string[] = []
  const unnoticed = new Set<string>()
  for (const [seed, operation] of listOperations(server.app).entries()) {
    const bodies =
      operation.body === undefined ? [undefined] : fc.sample(valuesOf(operation.body), { numRuns: SAMPLES, seed })
    for (const [pick, body] of bodies.entries()) {
      const used = new Map<string, string>()
      const real = requestOf(operation, body, (prefix) => {
        const ids = owned.get(prefix) ?? []
        const id = ids[pick % ids.length] ?? `${prefix}-${UNKNOWN}`
        used.set(id, `${prefix}-${UNKNOWN}`)
        return id
      })
      if (used.size === 0) continue
      const made = requestOf(operation, body, (prefix) => `${prefix}-${UNKNOWN}`)
      const [theirs, nobodys] = [await ask(real, guesser.headers), await ask(made, stranger.headers)]
      let answer = theirs.body
      for (const [id, unknown] of used) answer = answer.replaceAll(id, unknown)
      const isSame = theirs.statusCode === nobodys.statusCode && (theirs.statusCode < 400 || answer === nobodys.body)
      if (!isSame) wrong.push(`${operation.method} ${real.url}: ${theirs.statusCode} ${answer}, not ${nobodys.body}`)
      if (/\btheirs\b/i.test(theirs.body) && theirs.statusCode < 300) wrong.push(`${operation.id} tells ${theirs.body}`)
      if (theirs.statusCode === 404) unnoticed.delete(operation.id)
      else if (pick === 0) unnoticed.add(operation.id)
    }
  }
  expect(wrong).toEqual([])
  // what the samples do not get as far as: tests of their own have valid requests
  expect(unnoticed.size, [...unnoticed].join()).toBeLessThan(15)
  expect(await readOwner()).toEqual(before)
}, 300_000)

interface Request {
  method: Operation['method']
  url: string
  payload: string | undefined
}

const requestOf = (operation: Operation, body: unknown, idOf: (prefix: string) => string): Request => ({
  method: operation.method,
  url: urlOf(operation, idOf),
  payload: body === undefined ? undefined : JSON.stringify(fillIn(body, idOf)),
})

const ask = ({ payload, ...request }: Request, headers: Record<string, string>) =>
  server.app.inject({
    ...request,
    headers: { ...headers, ...(payload === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(payload === undefined ? {} : { payload }),
  })

function urlOf(operation: Operation, idOf: (prefix: string) => string): string {
  return pathOf(operation, (name) => {
    if (name === 'block_label') return 'human'
    if (name === 'tool_name') return 'conversation_search'
    if (/template/.test(name) && !name.endsWith('_id')) return theirTemplate
    if (name === 'project_id') return theirProject
    return idOf(PREFIX_OF_PARAMETER[name] ?? (name === 'source_id' ? 'source' : name.replace(/_id$/, '')))
  })
}
