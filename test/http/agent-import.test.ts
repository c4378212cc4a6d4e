import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, describe, expect, it, test } from 'vitest'
import type { AgentWire } from '#http/v1/agents/agent-schema.ts'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { importForm } from '../support/import-form.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MODEL = 'openai/gpt-4o-mini'
/** Real files of both formats; they are not ours to bring along. */
const SAMPLES = new URL('../../../shared/data/agent-files/', import.meta.url).pathname
const sampleNames = existsSync(SAMPLES) ? readdirSync(SAMPLES).filter((name) => name.endsWith('.af')) : []

let server: TestServer
let statements: string[] = []
const BACKGROUND =
  /^(claim-|take-over-|list-idle-queues|list-waiting-threads|list-cancelled-runs|expire-all-leases|renew-leases|settle-|delete-old|prune-)/
const { registry, requests } = scriptedModel((request) => {
  const asked = request.messages.findLast((message) => message.role === 'user')
  const isAsked = request.messages.at(-1)?.role === 'user'
  if (isAsked && JSON.stringify(asked).includes('search the web')) {
    return { toolCalls: [{ name: 'newer_than_this_server', arguments: { convo_keyword_queries: ['boats'] } }] }
  }
  const calls = JSON.stringify(asked).includes('use a tool') && isAsked
  return calls
    ? { toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: 'Likes tea.' } }] }
    : { text: 'I am here.' }
})

beforeAll(async () => {
  server = await startTestServer({
    models: registry,
    onStatement: (name) => void (BACKGROUND.test(name) || statements.push(name)),
  })
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})
beforeEach(() => {
  statements = []
})

interface Answer {
  agent_ids: string[]
  not_imported: string[]
  detail: string
}
function upload(
  file: Parameters<typeof importForm>[0],
  fields: Record<string, string> = {},
  extra: Record<string, string> = {},
) {
  const { body, headers } = importForm(file, fields)
  return server.request<Answer>('POST', '/v1/agents/import', body, { ...headers, ...extra })
}
async function load(file: Parameters<typeof importForm>[0], fields: Record<string, string> = {}): Promise<AgentWire> {
  const response = await upload(file, fields)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return read(response.body.agent_ids[0] as string)
}
const INCLUDE = ['blocks', 'tools', 'tags', 'secrets'].map((name) => `include=agent.${name}`).join('&')
const read = async (id: string) => (await server.request<AgentWire>('GET', `/v1/agents/${id}?${INCLUDE}`)).body
const messagesOf = async (id: string) =>
  (await server.request<Record<string, unknown>[]>('GET', `/v1/agents/${id}/messages?limit=500`)).body
const exportText = async (id: string, query = '') => {
  const response = await server.request<string>('GET', `/v1/agents/${id}/export${query}`)
  expect(response.status, response.body).toBe(200)
  return response.body
}
const say = async (id: string, text: string) => {
  const response = await server.request('POST', `/v1/agents/${id}/messages`, {
    messages: [{ role: 'user', content: text }],
  })
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  return response.body as {
    messages: { message_type: string; content?: string; reasoning?: string; tool_return?: string }[]
  }
}
/** How many rows each table has: what a refused import must not change. */
const counts = async () => {
  const tables = [
    'agents',
    'blocks',
    'tools',
    'messages',
    'conversations',
    'agent_secrets',
    'agent_blocks',
    'agent_tools',
  ]
  const sums = tables.map((table) => `(select count(*) from ${table}) as ${table}`).join(', ')
  return (await server.context.db.query(statement('test-count-all', `select ${sums}`)))[0]
}

const call = (id: string, name = 'look_up') => ({
  id,
  type: 'function',
  function: { name, arguments: '{"message":"hi"}' },
})
const text = (value: string) => [{ type: 'text', text: value }]
const tool = (id: string, name: string, over: object = {}) => ({
  id,
  name,
  tool_type: 'custom',
  source_type: 'python',
  source_code: `def ${name}():\n    """Does it."""\n    return 1`,
  json_schema: { name, description: 'Does it.', parameters: { type: 'object', properties: {}, required: [] } },
  tags: ['mine'],
  ...over,
})
const message = (index: number, role: string, over: object = {}) => ({
  id: `message-${index}`,
  role,
  content: [],
  created_at: `2025-03-0${index + 1}T10:00:00.123456+00:00`,
  ...over,
})
const agent = (over: object = {}) => ({
  id: 'agent-0',
  name: 'Ada',
  agent_type: 'letta_v1_agent',
  system: 'You are Ada.',
  include_base_tools: false,
  llm_config: {
    handle: MODEL,
    model: 'gpt-4o-mini',
    model_endpoint_type: 'openai',
    context_window: 64_000,
    temperature: 0.5,
    max_tokens: 4096,
  },
  embedding_config: { handle: 'openai/text-embedding-3-small' },
  tool_rules: [],
  tool_ids: ['tool-0', 'tool-1'],
  block_ids: ['block-1', 'block-0'],
  tags: ['b', 'a'],
  messages: [
    message(0, 'system', { content: text('an old prompt') }),
    message(1, 'user', { content: text('Are you there?') }),
    message(2, 'assistant', { content: text('thinking'), tool_calls: [call('c1')] }),
    message(3, 'tool', {
      tool_call_id: 'c1',
      name: 'look_up',
      content: text('{"status": "OK", "message": "Sent.", "time": "then"}'),
      tool_returns: [{ tool_call_id: 'c1', status: 'success', stdout: ['out'], stderr: null }],
    }),
  ],
  ...over,
})
const file = (agentOver: object = {}, over: object = {}) => ({
  agents: [agent(agentOver)],
  groups: [],
  blocks: [
    { id: 'block-0', label: 'human', value: 'Name: Grace', limit: 5000, description: 'who', metadata: { a: 1 } },
    { id: 'block-1', label: 'persona', value: 'I am Ada.', read_only: true, tags: ['t'] },
  ],
  tools: [
    tool('tool-0', 'look_up'),
    { id: 'tool-1', name: 'conversation_search', tool_type: 'letta_core', json_schema: {} },
  ],
  files: [],
  sources: [],
  mcp_servers: [],
  metadata: { revision_id: 'x' },
  created_at: '2025-03-01T10:00:00Z',
  ...over,
})

describe.skipIf(sampleNames.length === 0)('real files', () => {
  test.each(sampleNames)('%s is imported, answers a message, and comes back the same', async (name) => {
    const content = readFileSync(`${SAMPLES}${name}`)
    const response = await upload(content, { model: MODEL })
    expect(response.status, JSON.stringify(response.body)).toBe(200)
    const id = response.body.agent_ids[0] as string
    expect(response.body.not_imported).toEqual([])
    const before = JSON.parse(await exportText(id))
    // a legacy agent speaks with send_message only: its text is a thought
    const heard = async (text: string) => {
      const last = (await say(id, text)).messages.at(-1)
      return last?.content ?? last?.reasoning
    }
    expect(await heard('Hello, are you there?')).toBe('I am here.')
    expect(await heard('And now use a tool')).toBe('I am here.')
    const again = await load(JSON.stringify(before), { append_copy_suffix: 'false' })
    const after = JSON.parse(await exportText(again.id))
    expect(withoutIdsAndTimes(after)).toEqual(withoutIdsAndTimes(before))
    expect(before.files.length).toBe(name.includes('files_and_sources') ? 2 : 0)
  })

  it('an older file keeps what is out of context as a memory', async () => {
    const name = 'memgpt_agent_with_convo.af'
    const original = JSON.parse(readFileSync(`${SAMPLES}${name}`, 'utf8'))
    const imported = await load(readFileSync(`${SAMPLES}${name}`), { model: MODEL })
    const inContext = original.in_context_message_indices.length
    expect(imported.message_ids.length).toBe(inContext)
    const all = await messagesOf(imported.id)
    const ids = new Set(all.map((entry) => entry.id))
    expect(ids.size).toBeGreaterThan(inContext)
    await say(imported.id, 'Hello')
    expect(requests.at(-1)?.messages.length).toBe(inContext + 1)
  })
})

/** What two exports of one agent may differ in. */
function withoutIdsAndTimes(exported: {
  agents: { messages: { created_at: string; content: unknown }[] }[]
  created_at: string
}) {
  // the name of a folder is taken, and so gets a number
  const text = JSON.stringify(exported).replace(/(test_disk_export_source)_\(\d+\)/g, '$1')
  const copy = JSON.parse(text.replace(/"last_accessed_at":"[^"]*"/g, '"last_accessed_at":""')) as typeof exported & {
    agents: { messages: Record<string, unknown>[] }[]
  }
  copy.created_at = ''
  for (const one of copy.agents) {
    // the prompt names the agent and the time
    one.messages[0] = { ...one.messages[0], content: '', created_at: '' }
  }
  return copy
}

describe('import of a file of today', () => {
  it('makes the agent, its blocks, tools, tags and history in few statements', async () => {
    const response = await upload(file())
    expect(response.status, JSON.stringify(response.body)).toBe(200)
    expect(response.body.not_imported).toEqual([])
    expect(statements.length, statements.join()).toBeLessThanOrEqual(8)
    const made = await read(response.body.agent_ids[0] as string)
    expect(made).toMatchObject({
      name: 'Ada_copy',
      system: 'You are Ada.',
      model: MODEL,
      embedding: 'openai/text-embedding-3-small',
      tags: ['a', 'b'],
      tool_rules: [],
      llm_config: { context_window: 64_000, temperature: 0.5, max_tokens: 4096 },
    })
    expect(
      made.blocks.map(({ label, value, limit, read_only, tags, metadata }) => ({
        label,
        value,
        limit,
        read_only,
        tags,
        metadata,
      })),
    ).toEqual([
      { label: 'persona', value: 'I am Ada.', limit: 20_000, read_only: true, tags: ['t'], metadata: {} },
      { label: 'human', value: 'Name: Grace', limit: 5000, read_only: false, tags: [], metadata: { a: 1 } },
    ])
    expect(made.tools.map(({ name, tool_type }) => [name, tool_type])).toEqual([
      ['look_up', 'custom'],
      ['conversation_search', 'letta_core'],
    ])
    const messages = await messagesOf(made.id)
    expect(messages.map(({ message_type, date }) => [message_type, String(date).slice(0, 10)])).toEqual([
      ['system_message', new Date().toISOString().slice(0, 10)],
      ['user_message', '2025-03-02'],
      ['assistant_message', '2025-03-03'],
      ['tool_call_message', '2025-03-03'],
      ['tool_return_message', '2025-03-04'],
    ])
    expect(messages[0]?.content).toContain('I am Ada.')
    expect(messages[0]?.content).not.toContain('an old prompt')
    expect(messages[4]).toMatchObject({ tool_return: 'Sent.', status: 'success', stdout: ['out'], tool_call_id: 'c1' })
    expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(made.message_ids))
    expect((await say(made.id, 'hello')).messages.at(-1)?.content).toBe('I am here.')
  })

  it('a tool of a server that this one does not have is said to be missing, not to be no tool', async () => {
    const tools = [tool('tool-0', 'newer_than_this_server', { tool_type: 'letta_core' })]
    const made = await load(file({ tool_ids: ['tool-0'] }, { tools }))
    const { messages } = await say(made.id, 'search the web')
    const result = messages.find((one) => one.message_type === 'tool_return_message')
    expect(result?.tool_return).toBe(
      '`newer_than_this_server` was not run: this version of the server does not have it.',
    )
    expect(messages.at(-1)?.content).toBe('I am here.')
  })

  it('finds what was said before by conversation_search', async () => {
    const made = await load(file({ in_context_message_ids: ['message-0'] }))
    expect(made.message_ids).toHaveLength(1)
    const found = await server.context.db.query(
      statement(
        'test-find',
        `select id from messages where agent_id = $1 and search @@ plainto_tsquery('english', 'are you there')`,
      ),
      [made.id],
    )
    expect(found).toHaveLength(0)
    const words = await server.context.db.query(
      statement(
        'test-find-word',
        `select id from messages where agent_id = $1 and search @@ plainto_tsquery('english', 'thinking')`,
      ),
      [made.id],
    )
    expect(words).toHaveLength(1)
    await say(made.id, 'hello')
    expect(requests.at(-1)?.messages.map((entry) => entry.role)).toEqual(['system', 'user'])
  })

  it('names: suffix, override, several agents', async () => {
    const two = file({}, { agents: [agent(), agent({ id: 'agent-1', name: 'Bob', block_ids: ['block-0'] })] })
    const named = async (fields: Record<string, string>) => {
      const { body } = await upload(two, fields)
      return Promise.all(body.agent_ids.map(async (id) => (await read(id)).name))
    }
    expect(await named({})).toEqual(['Ada_copy', 'Bob_copy'])
    expect(await named({ append_copy_suffix: 'false' })).toEqual(['Ada', 'Bob'])
    expect(await named({ name: 'New' })).toEqual(['New', 'Bob_copy'])
    expect(await named({ override_name: 'Old field', append_copy_suffix: 'False' })).toEqual(['Old field', 'Bob'])
  })

  it('agents that share a block in the file share the new one', async () => {
    const two = file({}, { agents: [agent(), agent({ id: 'agent-1', block_ids: ['block-0'] })] })
    const [one, other] = await Promise.all((await upload(two)).body.agent_ids.map(read))
    expect(other?.blocks[0]?.id).toBe(one?.blocks[1]?.id)
    const again = await load(two)
    expect(again.blocks[1]?.id).not.toBe(one?.blocks[1]?.id)
  })

  it('model and embedding can be overridden; settings of another provider fall away', async () => {
    const settings = { provider_type: 'openai', temperature: 0.3, reasoning: { reasoning_effort: 'high' } }
    const base = file({ model: MODEL, model_settings: settings, context_window_limit: 100_000 })
    const kept = await load(base)
    expect(kept.model_settings).toMatchObject({ temperature: 0.3, reasoning: { reasoning_effort: 'high' } })
    const other = await load(base, { model: 'anthropic/claude-haiku-4-5', embedding: 'openai/other' })
    expect(other).toMatchObject({ model: 'anthropic/claude-haiku-4-5', embedding: 'openai/other' })
    expect(other.model_settings).toMatchObject({ temperature: 0.3, provider_type: 'anthropic' })
    expect(other.model_settings).not.toHaveProperty('reasoning')
    const legacy = await load(base, {
      override_model_handle: 'anthropic/claude-haiku-4-5',
      override_embedding_handle: 'openai/b',
    })
    expect([legacy.model, legacy.embedding]).toEqual(['anthropic/claude-haiku-4-5', 'openai/b'])
    const byHeader = await upload(base, {}, { 'x-override-embedding-model': 'openai/by-header' })
    expect((await read(byHeader.body.agent_ids[0] as string)).embedding).toBe('openai/by-header')
    const tooLarge = await load(file({ model: MODEL, context_window_limit: 1_000_000 }))
    expect(tooLarge.llm_config.context_window).toBe(128_000)
  })

  it('an unknown model says what to send', async () => {
    const { status, body } = await upload(file({ llm_config: { handle: 'openai/gpt-4-june' } }))
    expect(status).toBe(400)
    expect(body.detail).toMatch(
      /^agents\[0\]: The model 'openai\/gpt-4-june' is not to be had here\. Send the form field 'model'/,
    )
    const wrong = await upload(file(), { model: 'openai/none' })
    expect([wrong.status, wrong.body.detail]).toEqual([400, expect.stringContaining("'openai/none'")])
    const none = await upload(file({ llm_config: null }))
    expect([none.status, none.body.detail]).toEqual([400, expect.stringContaining('names no model')])
  })

  it('secrets: the file has the names, the form the values', async () => {
    const withKeys = file({ secrets: { A: '', B: '' } })
    const blank = await load(withKeys)
    expect(blank.secrets.map(({ key, value }) => [key, value])).toEqual([
      ['A', ''],
      ['B', ''],
    ])
    const filled = await load(withKeys, { secrets: '{"A":"one","C":"three"}', env_vars_json: '{"A":"older"}' })
    expect(filled.secrets.map(({ key, value }) => [key, value])).toEqual([
      ['A', '********'],
      ['B', ''],
      ['C', '********'],
    ])
    const rows = await server.context.db.query<{ sealed: string }>(
      statement('test-one-secret', `select sealed from agent_secrets where agent_id = $1 and key = 'A'`),
      [filled.id],
    )
    const owner = { organizationId: DEFAULT_ORGANIZATION_ID, place: `agent_secrets ${filled.id} A` }
    expect(server.context.secrets.open(rows[0]?.sealed ?? '', owner)).toBe('one')
    for (const bad of ['{', '[]', '{"A":1}', 'null', '{"A":"hush"']) {
      const { status, body } = await upload(withKeys, { secrets: bad })
      expect([status, body.detail]).toEqual([400, expect.stringMatching(/^secrets must be a JSON object/)])
      expect(body.detail).not.toContain('hush')
    }
  })

  it('strip_messages begins anew', async () => {
    const made = await load(file(), { strip_messages: 'true' })
    expect((await messagesOf(made.id)).map(({ message_type }) => message_type)).toEqual(['system_message'])
  })

  it('tools: replaced by name unless told otherwise; what the server brings stays', async () => {
    const code = async (name: string) =>
      (await server.request<{ source_code: string; id: string }[]>('GET', `/v1/tools?name=${name}`)).body[0]
    const version = (n: number, name = 'my_tool') =>
      file({ tool_ids: ['tool-0'] }, { tools: [tool('tool-0', name, { source_code: `# ${n}` })] })
    await load(version(1))
    const first = await code('my_tool')
    await load(version(2))
    expect(await code('my_tool')).toMatchObject({ id: first?.id, source_code: '# 2' })
    const made = await load(version(3), { override_existing_tools: 'false' })
    expect((await code('my_tool'))?.source_code).toBe('# 2')
    expect(made.tools.map(({ id }) => id)).toEqual([first?.id])
    await load(version(4, 'memory_insert'))
    expect((await code('memory_insert'))?.source_code).toBe(null)
    await load(file({ tool_ids: ['tool-0'] }, { tools: [tool('tool-0', 'my_tool', { tool_type: 'letta_core' })] }))
    expect(await code('my_tool')).toMatchObject({ tool_type: 'custom', source_code: '# 2' })
  })

  it('orphan calls and results are repaired, and the agent answers', async () => {
    const messages = [
      message(0, 'system', { content: text('p') }),
      message(1, 'tool', { tool_call_id: 'nobody', content: text('lost') }),
      message(2, 'approval', { tool_calls: [call('c1', 'look_up'), call('c2', 'look_up')] }),
      message(3, 'approval', {
        approvals: [
          { type: 'approval', tool_call_id: 'c1', approve: false, reason: 'no' },
          { type: 'approval', tool_call_id: 'c2', approve: true },
        ],
      }),
      message(4, 'user', { content: 'well?' }),
    ]
    const made = await load(file({ messages }))
    expect((await say(made.id, 'go on')).messages.at(-1)?.content).toBe('I am here.')
    const stored = await messagesOf(made.id)
    expect(stored.map(({ message_type }) => message_type)).toEqual([
      'system_message',
      'tool_call_message',
      'tool_return_message',
      'user_message',
      'user_message',
      'assistant_message',
    ])
    expect(stored[2]).toMatchObject({
      tool_returns: [
        { tool_call_id: 'c1', status: 'error', tool_return: 'Error: request to call tool denied. User reason: no' },
        { tool_call_id: 'c2', status: 'error', tool_return: expect.stringContaining('There is no result') },
      ],
    })
  })

  it('parts of every kind come over', async () => {
    const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'aGk=' } }
    const messages = [
      message(0, 'system', { content: text('p') }),
      message(1, 'user', {
        content: [...text('see'), image, { type: 'image', source: { type: 'url', url: 'https://x.test/a.png' } }],
      }),
      message(2, 'assistant', {
        content: [
          { type: 'reasoning', is_native: true, reasoning: 'hm', signature: 'sig' },
          { type: 'redacted_reasoning', data: 'xyz' },
          { type: 'omitted_reasoning' },
          ...text('done'),
        ],
        otid: 'otid-1',
        model: 'm',
      }),
      message(3, 'user', { content: [{ type: 'summarized_reasoning', id: 'x', summary: [] }] }),
      message(4, 'assistant', { content: [{ type: 'tool_call', id: 'c9', name: 'look_up', input: { a: 1 } }] }),
      message(5, 'tool', { content: [{ type: 'tool_return', tool_call_id: 'c9', content: 'found', is_error: false }] }),
    ]
    const made = await load(file({ messages }))
    const exported = JSON.parse(await exportText(made.id)).agents[0].messages
    expect(exported[1].content).toEqual([
      { type: 'text', text: 'see', signature: null },
      image,
      messages[1]?.['content' as never][2],
    ])
    expect(exported[2]).toMatchObject({
      content: [
        { type: 'reasoning', reasoning: 'hm', signature: 'sig' },
        { type: 'redacted_reasoning', data: 'xyz' },
        { type: 'text' },
      ],
      otid: 'otid-1',
      model: 'm',
    })
    expect(exported[3].tool_calls).toEqual([
      { id: 'c9', type: 'function', function: { name: 'look_up', arguments: '{"a":1}' } },
    ])
    expect(exported[4].tool_returns[0]).toMatchObject({ tool_call_id: 'c9', status: 'success' })
    expect(exported).toHaveLength(5)
  })

  it('blocks within the agent, base tools and first messages come as they do at creation', async () => {
    const made = await load(
      file({
        include_base_tools: true,
        messages: [],
        block_ids: [],
        memory_blocks: [{ label: 'note', value: 'Dear {{name}}' }],
        memory_variables: { name: 'Ada' },
        initial_message_sequence: [{ role: 'assistant', content: 'Welcome!' }],
      }),
    )
    expect(made.blocks.map(({ label, value }) => [label, value])).toEqual([['note', 'Dear Ada']])
    expect(made.tools.map(({ name }) => name)).toEqual([
      'conversation_search',
      'memory_insert',
      'memory_replace',
      'look_up',
    ])
    expect((await messagesOf(made.id)).map(({ content }) => content).at(-1)).toBe('Welcome!')
  })

  it('what this server does not make is named, and files without their text', async () => {
    const { body } = await upload(
      file(
        {
          source_ids: ['source-0'],
          group_ids: ['group-0'],
          identity_ids: ['identity-0'],
          files_agents: [{ file_id: 'file-0' }],
        },
        {
          sources: [{ id: 'source-0', name: 's' }],
          files: [{ id: 'file-0' }],
          groups: [{ id: 'group-0' }],
          mcp_servers: [{ id: 'mcp_server-0' }],
          skills: [{ name: 'x' }],
        },
      ),
    )
    expect(body.not_imported).toEqual(['files', 'groups', 'mcp_servers', 'skills', 'identities'])
  })

  it('a value over its limit raises the limit, as V1 kept to none', async () => {
    const made = await load(
      file({ block_ids: ['block-0'] }, { blocks: [{ id: 'block-0', label: 'a', value: 'too long', limit: 3 }] }),
    )
    expect(made.blocks[0]).toMatchObject({ value: 'too long', limit: 8 })
  })

  it('a file that a program wrote as a JSON text once more is read', async () => {
    expect((await load(JSON.stringify(JSON.stringify(file())))).name).toBe('Ada_copy')
  })

  it('the same Idempotency-Key imports once', async () => {
    const key = { 'idempotency-key': 'import-1' }
    const [first, second] = [await upload(file(), {}, key), await upload(file(), {}, key)]
    expect(second.body).toEqual(first.body)
  })
})

describe('import of an older file', () => {
  const legacy = (over: object = {}) => ({
    agent_type: 'memgpt_agent',
    name: 'Old one',
    description: 'd',
    system: 'Be old.',
    version: '0.6.47',
    core_memory: [{ label: 'human', value: 'Bob', limit: 100, metadata_: { m: 1 } }],
    llm_config: { model: 'gpt-4o-mini', model_endpoint_type: 'openai', context_window: 32_000 },
    embedding_config: null,
    message_buffer_autoclear: false,
    in_context_message_indices: [0, 2, 3],
    messages: [
      { role: 'system', content: text('old prompt'), created_at: '2025-04-01T03:47:19' },
      { role: 'user', content: text('long ago'), created_at: '2025-04-01T03:47:20' },
      {
        role: 'assistant',
        content: text('t'),
        tool_calls: [call('x')],
        tool_returns: [],
        created_at: '2025-04-01T03:47:21.5',
      },
      {
        role: 'tool',
        content: text('{"status": "Failed", "message": {"a": 1}, "time": "t"}'),
        tool_call_id: 'x',
        tool_returns: [],
      },
    ],
    metadata_: { k: 'v' },
    tags: ['x'],
    tool_exec_environment_variables: [{ key: 'KEY', value: 'from the file' }],
    tool_rules: [{ type: 'continue_loop', tool_name: 'conversation_search' }],
    tools: [{ ...tool('unused', 'old_tool'), id: undefined, metadata_: {} }],
    ...over,
  })

  it('makes the agent with all that is in it', async () => {
    const made = await load(legacy())
    expect(made).toMatchObject({
      name: 'Old one_copy',
      agent_type: 'memgpt_agent',
      model: MODEL,
      metadata: { k: 'v' },
      tags: ['x'],
    })
    expect(made.blocks[0]).toMatchObject({ label: 'human', limit: 100, metadata: { m: 1 } })
    expect(made.tools.map(({ name }) => name)).toEqual(['old_tool'])
    expect(made.secrets.map(({ key, value }) => [key, value])).toEqual([['KEY', '********']])
    expect(made.message_ids).toHaveLength(3)
    expect((await messagesOf(made.id)).map(({ message_type, date }) => [message_type, date]).slice(1)).toEqual([
      ['user_message', '2025-04-01T03:47:20.000Z'],
      ['assistant_message', '2025-04-01T03:47:21.500Z'],
      ['tool_call_message', '2025-04-01T03:47:21.500Z'],
      ['tool_return_message', '2025-04-01T03:47:21.500Z'],
    ])
    expect((await messagesOf(made.id)).at(-1)).toMatchObject({ status: 'error', tool_return: '{"a":1}' })
    await say(made.id, 'hi')
    expect(requests.at(-1)?.messages.map((entry) => entry.role)).toEqual(['system', 'assistant', 'tool', 'user'])
  })

  test.each<[string, object, RegExp]>([
    [
      'an index that leads nowhere',
      { in_context_message_indices: [0, 9] },
      /in_context_message_indices\[1\]: there are 4 messages, no number 9/,
    ],
    ['an index twice', { in_context_message_indices: [0, 0] }, /twice/],
    [
      'a tool twice',
      { tools: [tool('a', 'same'), tool('b', 'same')] },
      /tools\[1\]\.name: there are two tools of the name 'same'/,
    ],
    ['a wrong type', { core_memory: [{ label: 1, value: '' }] }, /core_memory\[0\]\.label must be string/],
  ])('%s is refused', async (_, over, detail) => {
    const { status, body } = await upload(legacy(over))
    expect([status, body.detail]).toEqual([400, expect.stringMatching(detail)])
  })
})

describe('files that are wrong', () => {
  const nested = (depth: number) => `{"agents":${'['.repeat(depth)}${']'.repeat(depth)}}`
  test.each<[string, number, Parameters<typeof importForm>[0], RegExp]>([
    ['no file', 422, undefined, /body\.file: Field required/],
    ['an empty file', 400, '', /Corrupted agent file format\. The file is empty/],
    ['no JSON', 400, 'agent', /Corrupted agent file format\. The file is not valid JSON/],
    ['a list', 400, '[]', /must be a JSON object/],
    ['null', 400, 'null', /must be a JSON object/],
    ['bytes that are no text', 400, Buffer.from([0xff, 0xfe, 0x00]), /not valid UTF-8/],
    ['no format', 400, '{}', /neither 'agents'/],
    ['NUL', 400, JSON.stringify(file({ name: 'a\0b' })), /agents\.0\.name: Text must not contain NUL/],
    ['half a character', 400, '{"agents":"\\ud800"}', /surrogate/],
    ['__proto__', 400, '{"agents":[],"__proto__":{"a":1}}', /__proto__/],
    ['deep nesting', 400, nested(100_000), /nested deeper than 200/],
    ['an endless number', 400, '{"agents":1e999}', /too large/],
    ['no agents', 400, file({}, { agents: [] }), /agents must NOT have fewer than 1/],
    ['a wrong type', 400, file({ name: 1 }), /agents\[0\]\.name must be string/],
    [
      'an unknown role',
      400,
      file({ messages: [message(0, 'king')] }),
      /agents\[0\]\.messages\[0\]\.role must be equal to one of the allowed values \(system, user/,
    ],
    [
      'an unknown part',
      400,
      file({ messages: [message(0, 'user', { content: [{ type: 'video' }] })] }),
      /messages\[0\]\.content\[0\]\.type: there are no parts of the type "video"/,
    ],
    [
      'a part without its text',
      400,
      file({ messages: [message(0, 'user', { content: [{ type: 'text' }] })] }),
      /content\[0\]\.text must be a text/,
    ],
    [
      'an image without a source',
      400,
      file({ messages: [message(0, 'user', { content: [{ type: 'image' }] })] }),
      /content\[0\]\.source must be an image/,
    ],
    [
      'a time that is none',
      400,
      file({ messages: [message(0, 'user', { created_at: 'yesterday' })] }),
      /messages\[0\]\.created_at must be a time/,
    ],
    ['an id of another kind', 400, file({ id: 'tool-0' }), /agents\[0\]\.id must look like 'agent-0'/],
    ['an agent twice', 400, file({}, { agents: [agent(), agent()] }), /agents\[1\]\.id: 'agent-0' is there twice/],
    [
      'a message twice',
      400,
      file({ messages: [message(0, 'user'), message(0, 'user')] }),
      /messages\[1\]\.id: 'message-0' is there twice/,
    ],
    [
      'a block that is not there',
      400,
      file({ block_ids: ['block-9'] }),
      /agents\[0\]\.block_ids\[0\]: 'block-9' is not among the blocks/,
    ],
    ['a tool that is not there', 400, file({ tool_ids: ['tool-9'] }), /tool_ids\[0\]: 'tool-9' is not among the tools/],
    ['a source that is not there', 400, file({ source_ids: ['source-9'] }), /source_ids\[0\]/],
    ['a group that is not there', 400, file({ group_ids: ['group-9'] }), /group_ids\[0\]/],
    ['a file that is not there', 400, file({ files_agents: [{ file_id: 'file-9' }] }), /files_agents\[0\]/],
    [
      'a message in context that is not there',
      400,
      file({ in_context_message_ids: ['message-9'] }),
      /in_context_message_ids\[0\]: 'message-9'/,
    ],
    [
      'two tools of one name',
      400,
      file({}, { tools: [tool('tool-0', 'x'), tool('tool-1', 'x')] }),
      /tools\[1\]\.name: there are two tools/,
    ],
    [
      'a tool without a schema',
      400,
      file({}, { tools: [tool('tool-0', 'x', { json_schema: null }), tool('tool-1', 'y')] }),
      /tools\[0\]\.json_schema is missing/,
    ],
    [
      'a tool type that is none',
      400,
      file({}, { tools: [tool('tool-0', 'x', { tool_type: 'root' }), tool('tool-1', 'y')] }),
      /tools\[0\]\.tool_type/,
    ],
    [
      'a name that no agent can have',
      400,
      file({ name: 'a/b' }),
      /agents\[0\]: Agent name .* contains invalid characters/,
    ],
    ['a time zone that is none', 400, file({ timezone: 'Mars/Base' }), /agents\[0\]: Unknown time zone/],
    [
      'a label that breaks the prompt',
      400,
      file(
        {},
        {
          blocks: [
            { id: 'block-0', label: 'a>b', value: '' },
            { id: 'block-1', label: 'b', value: '' },
          ],
        },
      ),
      /blocks\[0\]: The block label/,
    ],
    [
      'two blocks of one label',
      400,
      file(
        {},
        {
          blocks: [
            { id: 'block-0', label: 'a', value: '' },
            { id: 'block-1', label: 'a', value: '' },
          ],
        },
      ),
      /agents\[0\]: .*two memory blocks of one label/,
    ],
    ['a rule without its tool', 400, file({ tool_rules: [{ type: 'exit_loop' }] }), /agents\[0\]: The tool rule/],
    [
      'a second agent that is wrong',
      400,
      file({}, { agents: [agent(), agent({ id: 'agent-1', name: 'a/b' })] }),
      /agents\[1\]: Agent name/,
    ],
    [
      'a window that holds nothing',
      400,
      file({ context_window_limit: 10 }),
      /agents\[0\]: context_window_limit 10 is too small/,
    ],
    ['a secret without a name', 400, file({ secrets: { 'a b': '' } }), /agents\[0\]: secrets: "a b"/],
  ])('%s: %i, and nothing stays', async (_, status, content, detail) => {
    const before = await counts()
    const response = await upload(content)
    expect([response.status, response.body.detail]).toEqual([status, expect.stringMatching(detail)])
    expect(await counts()).toEqual(before)
  })

  it('a failure of the database in the middle leaves nothing', async () => {
    const before = await counts()
    const { db } = server.context
    await db.execute(`create function break_secrets() returns trigger language plpgsql as $$ begin raise exception 'broken'; end $$;
      create trigger break_secrets before insert on agent_secrets for each row execute function break_secrets();`)
    try {
      const response = await upload(file({ secrets: { KEY: '' } }))
      expect(response.status).toBe(500)
    } finally {
      await db.execute('drop trigger break_secrets on agent_secrets; drop function break_secrets;')
    }
    expect(await counts()).toEqual(before)
  })

  it('forms that are no forms', async () => {
    const json = await server.request('POST', '/v1/agents/import', { file: 'x' })
    expect([json.status, json.body.detail]).toEqual([422, expect.stringContaining('multipart/form-data')])
    const broken = await server.request('POST', '/v1/agents/import', Buffer.from('--x\r\nbroken'), {
      'content-type': 'multipart/form-data; boundary=x',
    })
    expect([broken.status, broken.body.detail]).toEqual([400, expect.stringContaining('The form cannot be read')])
    const none = await server.request('POST', '/v1/agents/import', Buffer.from('x'), {
      'content-type': 'multipart/form-data',
    })
    expect([none.status]).toEqual([400])
    const flag = await upload(file(), { strip_messages: 'perhaps' })
    expect([flag.status, flag.body.detail]).toEqual([422, 'body.strip_messages: Input should be a valid boolean'])
    const nul = await upload(file(), { name: 'a\0b' })
    expect([nul.status, nul.body.detail]).toEqual([422, expect.stringContaining('NUL')])
    const many = await upload(file(), Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`f${i}`, 'x'])))
    expect(many.status).toBe(413)
  })

  it('a file that is too large is refused, and the server lives', async () => {
    const huge = Buffer.alloc(server.context.config.maxBodyBytes + 10, 'x')
    const { status, body } = await upload(huge)
    expect([status, body.detail]).toEqual([413, expect.stringContaining('20 MB')])
    expect((await upload(file())).status).toBe(200)
  })

  it('too many messages are refused', async () => {
    const messages = Array.from({ length: 50_001 }, (_, i) => ({ id: `message-${i}`, role: 'user', content: 'x' }))
    const { status, body } = await upload(file({ messages }))
    expect([status, body.detail]).toEqual([400, expect.stringContaining('more than 50000')])
  })
})

describe('export', () => {
  it('is a text, and an import of it gives the same agent but for ids and times', async () => {
    const original = await load(file({ secrets: { KEY: '' } }), { secrets: '{"KEY":"hush-hush"}' })
    await say(original.id, 'Please use a tool')
    const response = await server.request<string>('GET', `/v1/agents/${original.id}/export`)
    expect(response.headers['content-type']).toBe('text/plain; charset=utf-8')
    expect(response.body).not.toContain('hush')
    const exported = JSON.parse(response.body)
    expect(exported.agents[0].secrets).toEqual({ KEY: '' })
    expect(exported.agents[0].messages.map(({ role }: { role: string }) => role)).toEqual([
      'system',
      'user',
      'assistant',
      'tool',
      'user',
      'assistant',
      'tool',
      'assistant',
    ])
    const copy = await load(response.body, { append_copy_suffix: 'false' })
    const again = JSON.parse(await exportText(copy.id))
    expect(withoutIdsAndTimes(again)).toEqual(withoutIdsAndTimes(exported))
    const shown = (one: AgentWire) => ({
      ...one,
      id: '',
      created_at: '',
      updated_at: '',
      message_ids: one.message_ids.length,
      secrets: [],
      tool_exec_environment_variables: [],
      last_run_completion: null,
      last_run_duration_ms: null,
      last_stop_reason: null,
      blocks: one.blocks.map((block) => ({ ...block, id: '' })),
      memory: {},
    })
    expect(shown(copy)).toEqual(shown(await read(original.id)))
  })

  it('has the shape of V1, message for message', async () => {
    const exported = JSON.parse(await exportText((await load(file())).id))
    expect(Object.keys(exported)).toEqual([
      'agents',
      'groups',
      'blocks',
      'files',
      'sources',
      'tools',
      'mcp_servers',
      'skills',
      'metadata',
      'created_at',
    ])
    expect(exported.agents[0]).toMatchObject({
      id: 'agent-0',
      block_ids: ['block-0', 'block-1'],
      tool_ids: ['tool-0', 'tool-1'],
      in_context_message_ids: ['message-0', 'message-1', 'message-2', 'message-3'],
    })
    expect(exported.agents[0].messages[3]).toEqual({
      type: 'message',
      id: 'message-3',
      agent_id: 'agent-0',
      role: 'tool',
      name: 'look_up',
      otid: null,
      sender_id: null,
      batch_item_id: null,
      group_id: null,
      model: null,
      content: [
        {
          type: 'text',
          text: expect.stringMatching(
            /^\{"status":"OK","message":"Sent\.","time":"2025-03-04 10:00:00 AM UTC\+0000"\}$/,
          ),
        },
      ],
      tool_calls: null,
      tool_call_id: 'c1',
      tool_returns: [
        {
          tool_call_id: 'c1',
          status: 'success',
          stdout: ['out'],
          stderr: null,
          func_response: expect.stringContaining('Sent.'),
        },
      ],
      approve: null,
      approval_request_id: null,
      denial_reason: null,
      approvals: [],
      created_at: '2025-03-04T10:00:00.123Z',
    })
    expect(exported.tools[0]).toMatchObject({ id: 'tool-0', name: 'look_up', created_by_id: null })
  })

  it('scrub_messages, conversation_id, skills, and what is refused', async () => {
    const { id } = await load(file())
    const scrubbed = JSON.parse(await exportText(id, '?scrub_messages=true&max_steps=5'))
    expect([scrubbed.agents[0].messages, scrubbed.agents[0].in_context_message_ids]).toEqual([[], []])
    expect(JSON.parse(await exportText(id, '?conversation_id=default')).agents[0].messages).toHaveLength(4)
    const other = 'conv-01234567-89ab-4def-8123-456789abcdef'
    expect((await server.request('GET', `/v1/agents/${id}/export?conversation_id=${other}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/agents/${id}/export?conversation_id=x`)).status).toBe(422)
    const legacy = await server.request('GET', `/v1/agents/${id}/export?use_legacy_format=true`)
    expect(legacy.status).toBe(400)
    const skills = [
      { name: 'cook', files: { 'SKILL.md': '# Cook' } },
      { name: 'sew', source_url: 'https://x.test' },
    ]
    const posted = await server.request<string>('POST', `/v1/agents/${id}/export`, { skills, scrub_messages: true })
    expect(posted.status).toBe(200)
    expect(JSON.parse(posted.body)).toMatchObject({ skills, agents: [{ messages: [] }] })
    const bare = await server.request<string>('POST', `/v1/agents/${id}/export`)
    expect(JSON.parse(bare.body).agents[0].messages).toHaveLength(4)
    expect((await server.request('POST', `/v1/agents/${id}/export`, { skills: [{}] })).status).toBe(422)
  })

  it('a conversation of another agent is none of this one', async () => {
    const [one, other] = [await load(file()), await load(file())]
    const [thread] = await server.context.db.query<{ id: string }>(
      statement('test-thread-of', 'select id from conversations where agent_id = $1'),
      [other.id],
    )
    expect((await server.request('GET', `/v1/agents/${one.id}/export?conversation_id=${thread?.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/agents/${other.id}/export?conversation_id=${thread?.id}`)).status).toBe(
      200,
    )
  })

  it('unknown, malformed and foreign agents', async () => {
    const unknown = 'agent-01234567-89ab-4def-8123-456789abcdef'
    const { id } = await load(file())
    const { headers } = await server.addOrganization()
    for (const method of ['GET', 'POST'] as const) {
      const missing = await server.request('GET', `/v1/agents/${unknown}/export`)
      const foreign = await server.request(method, `/v1/agents/${id}/export`, undefined, headers)
      expect([missing.status, foreign.status]).toEqual([404, 404])
      expect(foreign.body.detail).toBe(String(missing.body.detail).replace(unknown, id))
      expect((await server.request(method, '/v1/agents/agent-1/export')).status).toBe(422)
    }
  })

  it('what is imported as one organisation is not seen by another', async () => {
    const { headers } = await server.addOrganization()
    const mine = await upload(file(), {}, headers)
    expect(mine.status).toBe(200)
    expect((await server.request('GET', `/v1/agents/${mine.body.agent_ids[0]}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/agents/${mine.body.agent_ids[0]}`, undefined, headers)).status).toBe(200)
  })
})
