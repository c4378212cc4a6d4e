import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type ChatOptions, runChat } from '#cli/chat/run-chat.ts'
import { ModelError } from '#llm/model.ts'
import { lastUserText, type Script, scriptedModel } from '../support/scripted-model.ts'
import { testModelRegistry } from '../support/test-models.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

let script: Script = () => ({ text: 'Hello.' })
let server: TestServer
let url: string

beforeAll(async () => {
  server = await startTestServer({ models: scriptedModel((request, index) => script(request, index)).registry })
  url = await server.baseUrl()
})
afterAll(() => server.close())
afterEach(() => {
  script = () => ({ text: 'Hello.' })
})

/** A chat whose streams the test holds. `isTTY` makes it a terminal without a keyboard's raw mode. */
function startChat(options: Partial<ChatOptions>, over: { lines?: string; isTTY?: boolean } = {}) {
  const input = new PassThrough()
  const output = Object.assign(new PassThrough(), over.isTTY ? { isTTY: true } : {})
  const errors = new PassThrough()
  const shown = { out: '', err: '' }
  output.on('data', (data) => (shown.out += data))
  errors.on('data', (data) => (shown.err += data))
  let interrupt = () => {}
  if (over.lines !== undefined) input.end(over.lines)
  const ended = runChat(
    {
      url,
      apiKey: undefined,
      defaultModel: undefined,
      agent: undefined,
      model: undefined,
      isNew: false,
      message: undefined,
      ...options,
    },
    {
      input,
      output,
      errors,
      onInterrupt: (listener) => {
        interrupt = listener
        return () => {}
      },
    },
  )
  return { ended, shown, input, interrupt: () => interrupt() }
}

async function chat(options: Partial<ChatOptions>, over: { lines?: string; isTTY?: boolean } = {}) {
  const { ended, shown } = startChat(options, over)
  await ended
  return shown
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 5000) throw new Error('it did not happen')
    await sleep(10)
  }
}

/** Notes a fact, then answers. */
const remembers: Script = ({ messages }) =>
  messages.at(-1)?.role === 'tool'
    ? { reasoning: 'Now I know.', text: 'Nice to meet you, Nils.' }
    : { toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: 'Name: Nils' } }] }

test('one message: the answer alone goes to the output, the rest beside it', async () => {
  script = remembers
  const { out, err } = await chat({ isNew: true, message: 'My name is Nils.' })
  expect(out).toBe('Nice to meet you, Nils.\n')
  expect(err).toMatch(
    /^New agent chat \(agent-\S+\), model openai\/gpt-4o-mini\n… memory_insert\n✓ memory_insert\n {2}memory: human\n {2}\+ Name: Nils\nNow I know\.\n$/,
  )
  expect(out + err).not.toContain('\u001b')
})

test('the answer is shown while it comes', async () => {
  const model = await testModelRegistry().getModel('openai/gpt-4o-mini', null)
  const { promise: rest, resolve: goOn } = Promise.withResolvers<void>()
  const streaming = await startTestServer({
    models: testModelRegistry(async function* () {
      yield { type: 'text-delta', text: 'First ' }
      await rest
      yield { type: 'text-delta', text: 'second.' }
      const usage = {
        inputTokens: 1,
        outputTokens: 1,
        cachedInputTokens: null,
        cacheWriteTokens: null,
        reasoningTokens: null,
      }
      const content = [{ type: 'text' as const, text: 'First second.' }]
      yield {
        type: 'reply',
        reply: { content, toolCalls: [], finishReason: 'stop', usage },
        timing: { firstTokenMs: 1, totalMs: 1, attempts: 1 },
      }
    }),
  })
  try {
    const { ended, shown } = startChat({ url: await streaming.baseUrl(), model: model.info.handle, message: 'x' })
    await until(() => shown.out === 'First ')
    goOn()
    await ended
    expect(shown.out).toBe('First second.\n')
  } finally {
    await streaming.close()
  }
})

test('lines of a pipe are said one after the other to the agent of the last chat', async () => {
  script = (request) => ({ text: `You said: ${lastUserText(request).match(/(one|two)/)?.[0]}` })
  const { err } = await chat({ isNew: true, message: 'zero' })
  const id = /agent-[\w-]+/.exec(err)?.[0]
  const second = await chat({}, { lines: 'one\n\n  two\n' })
  expect(second.out).toBe('You said: one\nYou said: two\n')
  expect(second.err).toContain(`Agent chat (${id})`)
})

test('a terminal shows a spinner, colours, and edits of memory', async () => {
  script = async (request, index) => {
    await sleep(200)
    return remembers(request, index)
  }
  const { out } = await chat({ isNew: true, message: 'My name is Nils.' }, { isTTY: true })
  expect(out).toContain('⠙\u001b[39m thinking')
  expect(out).toContain('\u001b[32m  + Name: Nils\n\u001b[39m')
  expect(out).toContain('\u001b[2mNow I know.')
  expect(stripVTControlCharacters(out)).toContain('Now I know.\nNice to meet you, Nils.\n')
})

test('changed lines are shown as removed and added', async () => {
  script = remembers
  await chat({ isNew: true, message: 'My name is Nils.' })
  script = ({ messages }) => {
    if (messages.at(-1)?.role === 'tool') return { text: 'Noted.' }
    const args = { label: 'human', old_string: 'Name: Nils', new_string: 'Name: Nils\nHobby: sailing' }
    return {
      toolCalls: [
        { name: 'memory_replace', arguments: args },
        { name: 'memory_replace', arguments: args },
      ],
    }
  }
  const { err } = await chat({ message: 'And I sail.' })
  expect(err).toContain('✓ memory_replace\n')
  expect(err).toContain('  memory: human\n  + Hobby: sailing\n')
})

test('what a model says cannot steer the terminal', async () => {
  script = () => ({ text: 'a\u001b[2Jb\u0007c\u009bd' })
  expect((await chat({ message: 'x' })).out).toBe('a[2Jbcd\n')
})

test('commands show memory and models, change the model and the agent, and end', async () => {
  script = remembers
  const lines =
    'My name is Nils.\n/memory\n/model\n/model anthropic/claude-haiku-4-5\n/help\n/nothing\n/new\n/quit\nnever said\n'
  const { out, err } = await chat({ isNew: true }, { lines })
  expect(out).toBe('Nice to meet you, Nils.\n')
  expect(err).toMatch(/human \(10 of \d+ characters\)\n {2}Name: Nils\n/)
  expect(err).toContain('* openai/gpt-4o-mini\n  anthropic/claude-haiku-4-5\n')
  expect(err).toContain('anthropic/claude-haiku-4-5 answers from now on.')
  expect(err).toContain('/memory          what the agent keeps')
  expect(err).toContain('There is no command /nothing')
  expect(err).toMatch(/A new agent, agent-\S+, with anthropic\/claude-haiku-4-5\./)
})

test('an agent is found by name and by id; a name that nobody has is told with those there are', async () => {
  const { body } = await server.request<{ id: string }>('POST', '/v1/agents/', {
    name: 'Ada',
    model: 'openai/gpt-4o-mini',
  })
  expect((await chat({ agent: 'Ada', message: 'Hi' })).err).toContain(body.id)
  expect((await chat({ agent: body.id, message: 'Hi' })).err).toContain('Agent Ada')
  await expect(chat({ agent: 'Eve', message: 'Hi' })).rejects.toThrow(/no agent called "Eve"\. There are: .*Ada/)
})

test('Ctrl-C cancels the turn, and the agent answers the next message', async () => {
  script = () => ({ text: 'too late', delayMs: 20_000 })
  const { ended, shown, input, interrupt } = startChat({ isNew: true }, { isTTY: true })
  input.write('Tell me a long story.\n')
  await until(() => shown.out.includes('thinking'))
  await sleep(100)
  interrupt()
  interrupt()
  await expect(ended).rejects.toThrow('The turn was cancelled.')
  expect(shown.out).toContain('Cancelled.')
  expect(shown.out).not.toContain('too late')
  script = () => ({ text: 'Here I am.' })
  expect((await chat({ message: 'Are you there?' })).out).toBe('Here I am.\n')
})

test("failures come in plain words: the provider's, the server's, and what to do", async () => {
  script = () => ({ error: new ModelError('authentication', 'OpenAI says: Incorrect API key provided') })
  await expect(chat({ message: 'x' })).rejects.toThrow(
    "The model did not answer: OpenAI says: Incorrect API key provided Check the provider's key",
  )
  await expect(chat({ isNew: true, model: 'openai/nothing', message: 'x' })).rejects.toThrow(
    /Handle openai\/nothing not found, must be one of openai\/gpt-4o-mini/,
  )
  await expect(chat({ message: '  ' })).rejects.toThrow('there is nothing to say')
  await expect(chat({ url: 'http://[', message: 'x' })).rejects.toThrow('is no address')
})

test('a server that dies in the middle of a turn', async () => {
  const agent = {
    id: 'agent-1',
    name: 'chat',
    model: 'perdure/demo',
    created_at: '2026-01-01',
    last_run_completion: null,
  }
  const dying = createServer((request, response) => {
    if (request.method === 'GET') response.end(JSON.stringify(request.url?.startsWith('/v1/agents/?') ? [agent] : []))
    else {
      response.write('data: {"message_type":"ping","run_id":"run-7"}\r\n\r\ndata: {"message_type":"assistant_message",')
      setTimeout(() => response.destroy(), 50)
    }
  })
  dying.listen(0, '127.0.0.1')
  await once(dying, 'listening')
  const { port } = dying.address() as AddressInfo
  await expect(chat({ url: `http://127.0.0.1:${port}`, message: 'x' })).rejects.toThrow(
    /broke in the middle of the turn.*\(run-7\) goes on as soon as the server runs/,
  )
  dying.close()
})

test('a key that is missing or wrong', async () => {
  const locked = await startTestServer({ db: server.context.db, config: { apiKey: 'sesame' } })
  try {
    const lockedUrl = await locked.baseUrl()
    await expect(chat({ url: lockedUrl, message: 'x' })).rejects.toThrow(/wants a key: set PERDURE_API_KEY/)
    await expect(chat({ url: lockedUrl, apiKey: 'x', message: 'x' })).rejects.toThrow(/refuses the key/)
  } finally {
    await locked.close()
  }
})

test('as a process: one message, a pipe, and a server that is not there', async () => {
  script = (request) => ({ text: `You said ${lastUserText(request).match(/hello \d/)?.[0]}` })
  const perdure = (args: string[], env: Record<string, string>, stdin = '') =>
    new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
      const child = execFile(
        process.execPath,
        ['bin/perdure.mjs', 'chat', ...args],
        { cwd: root, env },
        (error, stdout, stderr) => resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      )
      child.stdin?.end(stdin)
    })
  const [one, piped, whole, down] = await Promise.all([
    perdure(['--url', `${url}/v1/`, '--message', 'hello 1'], {}),
    perdure([], { PERDURE_BASE_URL: url }, 'hello 2\n'),
    perdure(['-m', '-', '--url', url.replace('http://', '')], {}, 'many\nlines\nhello 3\n'),
    perdure(['--url', 'http://127.0.0.1:9', '-m', 'x'], {}),
  ])
  expect(one).toMatchObject({ code: 0, stdout: 'You said hello 1\n' })
  expect(piped).toMatchObject({ code: 0, stdout: 'You said hello 2\n' })
  expect(whole).toMatchObject({ code: 0, stdout: 'You said hello 3\n' })
  expect(down.code).toBe(1)
  expect(down.stdout).toBe('')
  expect(down.stderr).toMatch(/^perdure: No Perdure server answers at http:\/\/127\.0\.0\.1:9: .*npm start.*\n$/)
})
