import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
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
const blocks = (language: string): string[] =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map((match) => match[1] ?? '')

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

  it('links to files that exist, and names settings that exist', async () => {
    for (const [, link = ''] of readme.matchAll(/\]\(([^)]+)\)/g))
      await readFile(join(root, link.replace(/\/$/, '/0001-a-step-is-one-statement.md')))
    const options = await readFile(join(root, 'docs/configuration.md'), 'utf8')
    for (const [name] of readme.matchAll(/\b(PERDURE|LETTA|OPENAI|ANTHROPIC|GEMINI|OLLAMA)_[A-Z_]+\b/g))
      expect(options).toContain(name)
  })
})
