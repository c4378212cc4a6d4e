/**
 * `npm run acceptance:python`: the core paths with the official Python client, in a virtual environment of our own, against a new server
 * (or the one that ACCEPTANCE_URL names). Python 3.10 or newer with venv, and its package index, must be there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { acceptanceServerEnv } from '../test/acceptance/support/server-env.ts'
import { freePort, startServerProcess } from '../test/support/server-process.ts'

const SUITE = fileURLToPath(new URL('../test/acceptance/python', import.meta.url))
const HOME = fileURLToPath(new URL('../.cache/acceptance-python', import.meta.url))
const python = join(HOME, 'bin/python')

function run(command: string, args: string[], env: Record<string, string> = {}): void {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...env } })
  if (error !== undefined) throw new Error(`${command} could not start: ${error.message}`)
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`)
}

/** Makes the environment where it is missing or was made for other versions. */
function prepare(): void {
  const wanted = readFileSync(join(SUITE, 'requirements.txt'), 'utf8')
  const mark = join(HOME, 'requirements.txt')
  if (existsSync(mark) && existsSync(python) && readFileSync(mark, 'utf8') === wanted) return
  console.log('perdure: making a virtual environment with the Python client, about half a minute…')
  mkdirSync(HOME, { recursive: true })
  run('python3', ['-m', 'venv', '--clear', HOME])
  run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', join(SUITE, 'requirements.txt')])
  writeFileSync(mark, wanted)
}

const pytest = (env: Record<string, string>): void =>
  run(python, ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', SUITE], { PYTHONDONTWRITEBYTECODE: '1', ...env })

prepare()
const given = process.env.ACCEPTANCE_URL ?? ''
if (given !== '') pytest({})
else {
  const { env, remove } = await acceptanceServerEnv()
  try {
    const server = await startServerProcess(await freePort(), env)
    try {
      pytest({ ACCEPTANCE_URL: server.url })
    } finally {
      await server.stop()
    }
  } finally {
    await remove()
  }
}
