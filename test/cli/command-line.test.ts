import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

interface Outcome {
  code: number
  stdout: string
  stderr: string
}

/** `perdure …` as a process of its own, with nothing in its environment but `env`. */
function perdure(args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ['bin/perdure.mjs', ...args], { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}

test('without a command it shows the commands, examples and where the documentation is', async () => {
  const { code, stdout } = await perdure([])
  expect(code).toBe(0)
  for (const text of ['server', 'migrate', 'config', 'Examples:', 'docs/configuration.md'])
    expect(stdout).toContain(text)
})

test('the help of the server lists flags and variables with their defaults', async () => {
  const { stdout } = await perdure(['server', '--help'])
  for (const text of ['--port <number>', '[PERDURE_PORT, default 8283]', 'OPENAI_API_KEY'])
    expect(stdout).toContain(text)
})

test.each<[string[], Record<string, string>, string]>([
  [['server', '--prot', '1'], {}, `perdure: unknown option '--prot' (Did you mean --port?)\n`],
  [['serve'], {}, `perdure: unknown command 'serve' (Did you mean server?)\n`],
  [['server', '--port', 'x'], {}, 'perdure: --port must be a whole number between 0 and 65535; got "x".\n'],
  [
    ['server'],
    { PERDURE_PROT: '1' },
    'perdure: PERDURE_PROT is not a setting of Perdure. Did you mean PERDURE_PORT?\n',
  ],
])('%o with %o ends with one line and code 2', async (args, env, line) => {
  expect(await perdure(args, env)).toEqual({ code: 2, stdout: '', stderr: line })
})

test('config prints values with their sources and masks secrets', async () => {
  const { stdout } = await perdure(['config', '--port', '9000'], {
    OPENAI_API_KEY: 'sk-hunter2',
    LETTA_PG_URI: 'postgresql://u:hunter2@db/x?sslpassword=hunter2',
  })
  expect(stdout).toMatch(/PERDURE_PORT +9000 +--port/)
  expect(stdout).toMatch(/PERDURE_DATABASE_URL +postgresql:\/\/u:\*+@db\/x\S+ +LETTA_PG_URI/)
  expect(stdout).toMatch(/OPENAI_API_KEY +\*+ +environment/)
  expect(stdout).not.toContain('hunter2')
})
