import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { statement } from '#store/db.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent, readBlock, storedMessages } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Execution {
  status: string
  func_return: string
  stdout: string[]
  stderr: string[]
  detail: string
}
interface ToolReturn {
  tool_return: string
  status: string
  stdout: string[]
  stderr: string[]
  detail: string
}

/** Calls every tool that the message of the user names, with its arguments: `[["name", {…}], …]`. */
const model = scriptedModel(({ messages }) => {
  const last = messages.at(-1)
  if (last?.role !== 'user') return { text: 'Done.' }
  const text = last.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
  const said = (/^\{.*\}$/s.test(text) ? (JSON.parse(text) as { message: string }).message : text) ?? ''
  const wanted = JSON.parse(/CALLS (.*) END/.exec(said)?.[1] ?? '[]') as [string, object][]
  return { toolCalls: wanted.map(([name, args]) => ({ name, arguments: args })) }
})

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: model.registry, config: { toolTimeoutMs: 5_000 } })
})
afterAll(() => server.close())

const python = (name: string, parameters: string, body: string) => {
  const described = parameters
    .split(',')
    .filter((parameter) => parameter.trim() !== '')
    .map((parameter) => `        ${parameter.split(':')[0]?.trim()}: what it is`)
  const lines = body.split('\n').map((line) => `    ${line}`)
  return [`def ${name}(${parameters}):`, '    """A tool.', '', '    Args:', ...described, '    """', ...lines].join(
    '\n',
  )
}
const runSource = async (source_code: string, args: object = {}, more: object = {}) =>
  (await server.request<ToolReturn>('POST', '/v1/tools/run', { source_code, args, ...more })).body
const create = (body: object) => server.request<{ id: string; risk: object }>('POST', '/v1/tools/', body)
const newAgent = (tools: string[], more: object = {}) =>
  createTestAgent(server.context.db, server.context.models, { tools, ...more })
const runTool = async (agentId: string, name: string, args: object = {}) =>
  (await server.request<Execution>('POST', `/v1/agents/${agentId}/tools/${name}/run`, { args })).body
const setSecrets = (agentId: string, secrets: object) => server.request('PATCH', `/v1/agents/${agentId}`, { secrets })

describe('a Python tool from its source', () => {
  it.each<[string, string, string]>([
    ['a text as it is', 'return "hé\\n" * count', 'hé\nhé\n'],
    ['a number', 'return count + 0.5', '2.5'],
    ['a truth', 'return True', 'True'],
    ['nothing', 'pass', 'None'],
    ['a list', 'return [count, {"a": None}]', '[2, {"a": null}]'],
    [
      'what has no form in JSON',
      'import datetime\nreturn {"d": datetime.date(2026, 1, 2), "n": float("nan")}',
      '"2026-01-02"',
    ],
    ['bytes', 'return b"raw"', 'raw'],
    ['a cycle', 'a = []\na.append(a)\nreturn a', '[...]'],
  ])('gives %s', async (_, body, expected) => {
    const answer = await runSource(python('f', 'count: int', body), { count: 2 })
    expect(answer.tool_return).toContain(expected)
    expect(answer.status).toBe('success')
  })

  it('has its output, and its errors in V1’s words', async () => {
    const source = python(
      'loud',
      'count: int',
      'import sys\nprint("out", count)\nprint("err", file=sys.stderr)\nraise ValueError("no " + "way")',
    )
    const answer = await runSource(source, { count: 1 })
    expect(answer).toMatchObject({
      status: 'error',
      tool_return: 'Error executing function loud: ValueError: no way',
      stdout: ['out 1'],
    })
    expect(answer.stderr.join('\n')).toContain('err')
  })

  it('may be asynchronous, and gets models and enumerations as it wrote them', async () => {
    const source = [
      'import asyncio',
      'from enum import Enum',
      'class Mode(str, Enum):',
      '    FAST = "fast"',
      'async def go(mode: Mode, names: list[str]) -> str:',
      '    """Goes.',
      '',
      '    Args:',
      '        mode: how',
      '        names: who',
      '    """',
      '    await asyncio.sleep(0)',
      '    return f"{mode is Mode.FAST} {names}"',
    ].join('\n')
    expect((await runSource(source, { mode: 'fast', names: ['a'] })).tool_return).toBe("True ['a']")
  })

  it('is not run on arguments that do not fit', async () => {
    const source = python('listed', 'names: list[str]', 'return "ran"')
    const answer = await runSource(source, { names: 'all' })
    expect(answer).toMatchObject({
      status: 'error',
      tool_return: expect.stringMatching(/^Invalid arguments for listed: names must be array/),
    })
  })

  it('has the variables that came along and nothing of the server', async () => {
    const source = python(
      'env',
      'key: str',
      'import os\nreturn sorted(os.environ), os.environ.get(key) == "a secret value"',
    )
    const answer = await runSource(source, { key: 'KEY' }, { env_vars: { KEY: 'a secret value' } })
    expect(answer.tool_return).toMatch(/true\]$/)
    expect(answer.tool_return).not.toMatch(/PATH"|PERDURE|DATABASE/)
  })

  it('ends when its time is over', async () => {
    const answer = await runSource(python('slow', 'count: int', 'while True: pass'), { count: 1 })
    expect(answer).toMatchObject({ status: 'error', tool_return: expect.stringMatching(/slow: TimeoutError/) })
  })

  it('refuses a source that cannot be read, and packages that nobody allowed', async () => {
    expect(await runSource('x =')).toMatchObject({ detail: expect.stringMatching(/^Failed to derive/) })
    const packed = await runSource(python('p', 'a: int', 'return 1'), { a: 1 }, { pip_requirements: [{ name: 'six' }] })
    expect(packed).toMatchObject({ status: 'error', tool_return: expect.stringMatching(/PERDURE_TOOL_PACKAGES=on/) })
  })
})

describe('a TypeScript tool from its source', () => {
  const source = [
    'enum Mode { Fast = "fast" }',
    'interface Point { x: number; y?: number }',
    '/** Adds up.',
    ' * @param points - what to add',
    ' * @param label - what to call it',
    ' */',
    'export async function add(points: Point[], label: string = "sum"): Promise<object> {',
    '  console.log("adding", points.length)',
    '  if (points.length === 0) throw new RangeError("nothing to add")',
    '  return { [label]: points.reduce((sum, { x, y = 0 }) => sum + x + y, 0), mode: Mode.Fast }',
    '}',
  ].join('\n')

  it('is run', async () => {
    const answer = await runSource(source, { points: [{ x: 1 }, { x: 2, y: 3 }] }, { source_type: 'typescript' })
    expect(answer).toMatchObject({ status: 'success', stdout: ['adding 2'] })
    expect(JSON.parse(answer.tool_return)).toEqual({ sum: 6, mode: 'fast' })
  })

  it('has its errors in V1’s words', async () => {
    const answer = await runSource(source, { points: [] }, { source_type: 'typescript' })
    expect(answer).toMatchObject({
      status: 'error',
      tool_return: 'Error executing function add: RangeError: nothing to add',
    })
  })
})

describe('a tool of an agent', () => {
  it('has its secrets, the variables of the sandbox under them, and the ids; none is told', async () => {
    const config = await server.request<{ id: string }>('POST', '/v1/sandbox-config/local/default')
    const variable = (key: string, value: string) =>
      server.request('POST', `/v1/sandbox-config/${config.body.id}/environment-variable`, { key, value })
    await variable('SHARED', 'from the sandbox')
    await variable('BOTH', 'from the sandbox too')
    await create({
      source_code: python(
        'tell',
        'plain: bool',
        'import os\nprint(os.environ["OWN"])\nreturn {k: (v if plain else v.upper()) for k, v in os.environ.items()}',
      ),
    })
    const agentId = await newAgent(['tell'])
    await setSecrets(agentId, { OWN: 'line one\nline two', BOTH: 'from the agent' })
    const answer = await runTool(agentId, 'tell', { plain: false })
    expect(answer.status).toBe('success')
    expect(JSON.parse(answer.func_return)).toMatchObject({
      SHARED: 'FROM THE SANDBOX',
      BOTH: 'FROM THE AGENT',
      OWN: 'LINE ONE\nLINE TWO',
      LETTA_AGENT_ID: agentId.toUpperCase(),
      LETTA_TOOL_ID: expect.stringMatching(/^TOOL-/),
    })
    const plain = await runTool(agentId, 'tell', { plain: true })
    expect(plain.func_return).toContain('[secret BOTH]')
    expect(plain.stdout).toEqual(['[secret OWN]'])
    expect(JSON.stringify(plain)).not.toMatch(/from the (agent|sandbox)|line two/)
  })

  it('keeps a secret that it raises to itself', async () => {
    await create({
      source_code: python('leak', 'n: int', 'import os\nraise RuntimeError("the key is " + os.environ["API_KEY"])'),
    })
    const agentId = await newAgent(['leak'])
    await setSecrets(agentId, { API_KEY: 'sk-very-secret' })
    const answer = await runTool(agentId, 'leak', { n: 1 })
    expect(answer.func_return).toBe('Error executing function leak: RuntimeError: the key is [secret API_KEY]')
    expect(JSON.stringify(answer)).not.toContain('sk-very-secret')
  })

  it('reads and changes memory through agent_state, within the rules of blocks', async () => {
    const body = [
      'block = agent_state.memory.get_block("human")',
      'agent_state.memory.update_block_value("human", block.value + text)',
      'agent_state.memory.update_block_value("persona", "changed")',
      'return [agent_state.id, agent_state.memory.list_block_labels()]',
    ].join('\n')
    await create({ source_code: python('remember', 'agent_state, text: str', body) })
    const agentId = await newAgent(['remember'], {
      memory_blocks: [
        { label: 'human', value: 'Knows ' },
        { label: 'persona', value: 'I am Ada.', read_only: true },
      ],
    })
    const answer = await runTool(agentId, 'remember', { text: 'Nils.' })
    expect(answer.status).toBe('success')
    expect(answer.func_return).toContain(agentId)
    expect(answer.func_return).toMatch(/\[NOTE: Memory block `persona` is read-only/)
    expect(await readBlock(server.context.db, agentId, 'human')).toEqual({ value: 'Knows Nils.', version: 2 })
    expect((await readBlock(server.context.db, agentId, 'persona'))?.value).toBe('I am Ada.')
  })

  it('is cut at its limit, with the length of the whole', async () => {
    await create({ source_code: python('long', 'n: int', 'return "x" * n'), return_char_limit: 10 })
    const agentId = await newAgent(['long'])
    expect((await runTool(agentId, 'long', { n: 100_000 })).func_return).toBe(
      'xxxxxxxxxx... [NOTE: function output was truncated since it exceeded the character limit: 100000 > 10]',
    )
  })

  it('shows its risk', async () => {
    const source_code = python('risky', 'n: int', 'return n')
    expect((await create({ source_code })).body.risk).toEqual({
      level: 'medium',
      network: 'default',
      hosts: [],
      secrets: true,
      runs_code: true,
      host_access: false,
    })
    const named = await create({ source_code, metadata_: { network: ['API.example.com:443'] } })
    expect(named.body.risk).toMatchObject({ network: 'hosts', hosts: ['api.example.com:443'], level: 'medium' })
    const none = await create({ source_code, metadata_: { network: 'none' } })
    expect(none.body.risk).toMatchObject({ network: 'none', level: 'low' })
    const refused = await server.request('POST', '/v1/tools/', { source_code, metadata_: { network: 'everything' } })
    expect(refused).toMatchObject({ status: 422, body: { detail: expect.stringMatching(/metadata_\.network/) } })
    const listed = await server.request<{ name: string; risk: { level: string } }[]>('GET', '/v1/tools/?limit=200')
    const levels = Object.fromEntries(listed.body.map(({ name, risk }) => [name, risk.level]))
    expect(levels).toMatchObject({ memory_insert: 'none', run_code: 'medium', send_message_to_agent_async: 'low' })
  })
})

describe('in a run', () => {
  const say = (agentId: string, calls: [string, object][]) =>
    server.request<{ messages: { message_type: string; tool_return?: string; status?: string; stdout?: string[] }[] }>(
      'POST',
      `/v1/agents/${agentId}/messages`,
      { messages: [{ role: 'user', content: `CALLS ${JSON.stringify(calls)} END` }] },
    )
  const returns = async (agentId: string) =>
    (await storedMessages(server.context.db, agentId)).flatMap((message) => message.tool_returns ?? [])

  it('calls tools, and goes on with their results', async () => {
    await create({ source_code: python('double', 'n: int', 'print("doubling")\nreturn n * 2') })
    const agentId = await newAgent(['double', 'run_code'])
    const answer = await say(agentId, [
      ['double', { n: 21 }],
      ['double', { n: 'many' }],
      ['run_code', { language: 'python', code: 'x = 6\nx * 7' }],
      ['run_code', { language: 'js', code: 'const y = 6; y * 7' }],
      ['run_code', { language: 'java', code: '' }],
    ])
    expect(answer.body.messages.at(-1)).toMatchObject({ message_type: 'assistant_message' })
    expect(await returns(agentId)).toMatchObject([
      { status: 'success', text: '42', stdout: ['doubling'] },
      { status: 'error', text: expect.stringMatching(/^Invalid arguments for double: n must be integer/) },
      { status: 'success', text: expect.stringContaining('"results":["42"]') },
      { status: 'success', text: expect.stringContaining('"results":["42"]') },
      { status: 'error', text: expect.stringMatching(/runs no java/) },
    ])
  })

  it('gives code the agent’s own tools as functions', async () => {
    await create({ source_code: python('triple', 'n: int', 'return n * 3') })
    const agentId = await newAgent(['triple', 'run_code_with_tools'])
    await say(agentId, [['run_code_with_tools', { code: 'sum(triple(n) for n in range(4))' }]])
    expect(await returns(agentId)).toMatchObject([{ text: expect.stringContaining('"results":["18"]') }])
  })

  it('goes on where a secret cannot be opened, and says so', async () => {
    await create({ source_code: python('sealed', 'n: int', 'return n') })
    const agentId = await newAgent(['sealed'])
    await setSecrets(agentId, { KEY: 'sealed by another key' })
    const spoil = statement(
      'test-spoil-secret',
      `update agent_secrets set sealed = 'v1.' || md5(sealed) where agent_id = $1 returning key`,
    )
    expect(await server.context.db.query(spoil, [agentId])).toHaveLength(1)
    const answer = await say(agentId, [['sealed', { n: 1 }]])
    expect(answer.body.messages.at(-1)).toMatchObject({ message_type: 'assistant_message' })
    expect(await returns(agentId)).toMatchObject([
      { status: 'error', text: expect.stringMatching(/`sealed` was not run: .*PERDURE_ENCRYPTION_KEY/) },
    ])
  })

  it('stores what a tool makes of memory together with its result', async () => {
    const body = 'agent_state.memory.update_block_value("human", text)\nreturn "noted"'
    await create({ source_code: python('note', 'agent_state, text: str', body) })
    const agentId = await newAgent(['note'])
    await say(agentId, [
      ['note', { text: 'first' }],
      ['note', { text: 'second' }],
    ])
    expect(await readBlock(server.context.db, agentId, 'human')).toEqual({ value: 'second', version: 3 })
  })

  it('executes at the same time what allows it, and only that', async () => {
    const body = 'import time\nstart = time.time()\ntime.sleep(0.6)\nreturn [start, time.time()]'
    await create({ source_code: python('parallel', 'n: int', body), enable_parallel_execution: true })
    await create({ source_code: python('serial', 'n: int', body) })
    const agentId = await newAgent(['parallel', 'serial'])
    const times = async () => (await returns(agentId)).slice(-2).map(({ text }) => JSON.parse(text) as [number, number])
    await say(agentId, [
      ['parallel', { n: 1 }],
      ['parallel', { n: 2 }],
    ])
    const [first, second] = await times()
    expect(second?.[0]).toBeLessThan(first?.[1] ?? 0)
    await say(agentId, [
      ['serial', { n: 1 }],
      ['serial', { n: 2 }],
    ])
    const [before, after] = await times()
    expect(after?.[0]).toBeGreaterThanOrEqual(before?.[1] ?? Number.POSITIVE_INFINITY)
  })

  it('does not overwrite what somebody else made of a block meanwhile', async () => {
    const body =
      'import time\ntime.sleep(1)\nagent_state.memory.update_block_value("human", "of the tool")\nreturn "ran"'
    await create({ source_code: python('late', 'agent_state, n: int', body) })
    const agentId = await newAgent(['late'])
    await runTool(agentId, 'memory_insert', { label: 'human', new_string: 'of before' })
    const running = say(agentId, [['late', { n: 1 }]])
    const isRunning = async () =>
      (await server.request<object[]>('GET', `/v1/runs/?active=true&agent_id=${agentId}`)).body
    await expect.poll(isRunning).toHaveLength(1)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const edit = { label: 'human', old_string: 'of before', new_string: 'of somebody else' }
    const edited = await runTool(agentId, 'memory_replace', edit)
    expect(edited.status).toBe('success')
    await running
    expect((await readBlock(server.context.db, agentId, 'human'))?.value).toBe('of somebody else')
    expect(await returns(agentId)).toMatchObject([
      { text: expect.stringMatching(/^ran\n\[NOTE: Somebody else changed/) },
    ])
  })
})

describe('where the operator runs no code', () => {
  it('says so', async () => {
    const off = await startTestServer({ config: { pythonSandbox: 'off', typescriptSandbox: 'off' } })
    const run = (body: object) => off.request<ToolReturn>('POST', '/v1/tools/run', { args: {}, ...body })
    const inPython = await run({ source_code: 'def f():\n    """F."""' })
    expect(inPython.body).toMatchObject({
      status: 'error',
      tool_return: expect.stringMatching(/PERDURE_PYTHON_SANDBOX/),
    })
    const source_code = '/** F. */\nexport function f() {}'
    const inTypeScript = await run({ source_code, source_type: 'typescript' })
    expect(inTypeScript.body.tool_return).toMatch(/PERDURE_TYPESCRIPT_SANDBOX/)
    await off.close()
  })
})
