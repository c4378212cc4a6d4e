import { execFile } from 'node:child_process'
import { access, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import Letta from '@letta-ai/letta-client'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, type ServerProcess, startServerProcess } from './support/server-process.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const run = promisify(execFile)

let server: ServerProcess
let dataDir: string
let readme: string
beforeAll(async () => {
  readme = await readFile(join(root, 'README.md'), 'utf8')
  dataDir = await mkdtemp(join(tmpdir(), 'perdure-readme-'))
  server = await startServerProcess(await freePort(), { PERDURE_DATA_DIR: dataDir })
})
afterAll(async () => {
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
})

/** The code blocks of a language, in order. */
const blocks = (language: string, page = readme): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] ?? '')

describe('the README', () => {
  it('is short', () => {
    expect(readme.split('\n').length).toBeLessThanOrEqual(121)
  })

  it('has a transcript of `perdure chat` that is what it prints', async () => {
    const [transcript = ''] = blocks('console')
    const [command = '', ...printed] = transcript.trim().split('\n')
    const message = /^\$ npx perdure chat -m "(.*)"$/.exec(command)?.[1] ?? ''
    expect(message).not.toBe('')
    const { stdout, stderr } = await run(process.execPath, [join(root, 'bin/perdure.mjs'), 'chat', '-m', message], {
      env: { PATH: process.env.PATH, PERDURE_BASE_URL: server.url, NO_COLOR: '1' },
    })
    const anyId = (line: string) => line.replace(/agent-[0-9a-f-]{36}/, 'agent-…')
    // what is told about the answer goes to standard error, the answer itself to standard output
    expect([...stderr.trim().split('\n'), stdout.trim()].map(anyId)).toEqual(printed.map(anyId))
  })

  it('has a program for the SDK that prints what it says', async () => {
    const [program = ''] = blocks('ts')
    const [, printed = ''] = blocks('console')
    const file = join(root, '.cache', `readme-${process.pid}.ts`)
    await writeFile(file, program.replace('http://localhost:8283', server.url))
    try {
      const { stdout } = await run(process.execPath, [file])
      expect(stdout.trim()).toBe(printed.trim())
    } finally {
      await rm(file)
    }
  })

  it('links to files that exist, as the other pages do, and names settings that exist', async () => {
    const docs = (await readdir(join(root, 'docs')))
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name}`)
    for (const page of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'deploy/README.md', ...docs]) {
      const text = await readFile(join(root, page), 'utf8')
      for (const [, link = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)\)/g))
        await expect(access(join(root, dirname(page), link)), `${page} → ${link}`).resolves.toBeUndefined()
    }
    const options = await readFile(join(root, 'docs/configuration.md'), 'utf8')
    for (const [name] of readme.matchAll(/\b(PERDURE|LETTA|OPENAI|ANTHROPIC|GEMINI|OLLAMA)_[A-Z_]+\b/g))
      expect(options).toContain(name)
  })
})

describe('docs/migrating-from-v1.md', () => {
  it('has a program that brings agents with their archival memory over to another server', async () => {
    const page = await readFile(join(root, 'docs/migrating-from-v1.md'), 'utf8')
    const [program = ''] = blocks('js', page)
    const otherDir = await mkdtemp(join(tmpdir(), 'perdure-moved-'))
    const other = await startServerProcess(await freePort(), { PERDURE_DATA_DIR: otherDir })
    const file = join(root, '.cache', `move-${process.pid}.mjs`)
    try {
      const [old, moved] = [server.url, other.url].map((baseURL) => new Letta({ baseURL })) as [Letta, Letta]
      const { id } = await old.agents.create({ model: 'perdure/demo', name: 'Mover', memory_blocks: [] })
      await old.agents.messages.create(id, { input: 'Hello' })
      const notes = Array.from({ length: 120 }, (_, index) => `Note ${index}.`)
      for (const text of notes) await old.agents.passages.create(id, { text, tags: ['log'] })
      await writeFile(file, program)
      const env = { PATH: process.env.PATH, OLD_URL: server.url, NEW_URL: other.url }
      const { stdout } = await run(process.execPath, [file], { env })
      const [, copy = ''] = new RegExp(`Mover: ${id} → (\\S+), 120 passages, left out: nothing`).exec(stdout) ?? []
      expect((await moved.agents.retrieve(copy)).name).toBe('Mover')
      const passages = await moved.agents.passages.list(copy, { limit: 200, ascending: true })
      expect(passages.map(({ text }) => text)).toEqual(notes)
      expect(passages[0]?.tags).toEqual(['log'])
      const said = await moved.agents.messages.list(copy, { order: 'asc' })
      expect(said.items.map((message) => message.message_type)).toContain('user_message')
    } finally {
      await other.stop()
      await rm(otherDir, { recursive: true, force: true })
      await rm(file, { force: true })
    }
  })
})
