import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'

const run = promisify(execFile)

/** Where a Python is looked for when none is named; the path of the server's own environment does not matter. */
const SYSTEM_FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin', '/opt/python/bin']
/** Isolated: no variables, no folders of users, no site-packages, no files written beside the sources. */
export const PYTHON_FLAGS = ['-I', '-S', '-B'] as const
const OLDEST = [3, 9]
const LIMIT_MS = 10_000

const QUESTION =
  'import sys; print("perdure", sys.version_info[0], sys.version_info[1], sys.implementation.name, sys.executable, sep="\\n")'

export interface Python {
  /** The interpreter itself, not a shim that looks for one. */
  path: string
  /** Like '3.11'. */
  version: string
}

/**
 * The interpreter that runs code of tools.
 * @param path an interpreter or a shim of one; without it, the `python3` of the system's folders
 * @throws SandboxUnavailable where there is none, or none that is CPython 3.9 or later
 */
export async function findPython(path?: string): Promise<Python> {
  const problems: string[] = []
  for (const candidate of path === undefined ? SYSTEM_FOLDERS.map((folder) => `${folder}/python3`) : [path]) {
    const found = await ask(candidate)
    if (typeof found === 'object') return found
    problems.push(`${candidate}: ${found}`)
  }
  throw new SandboxUnavailable(
    `No CPython ${OLDEST.join('.')} or later was found (${problems.join('; ')}). Install python3, or name one.`,
  )
}

/** What is wrong with a candidate, as text. */
async function ask(candidate: string): Promise<Python | string> {
  let output: string
  try {
    const environment = { PATH: SYSTEM_FOLDERS.join(':') }
    output = (await run(candidate, [...PYTHON_FLAGS, '-c', QUESTION], { env: environment, timeout: LIMIT_MS })).stdout
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'not there' : 'does not run'
  }
  const [mark, major, minor, implementation, executable] = output.split('\n').slice(-6)
  if (mark !== 'perdure' || executable === undefined || executable === '') return 'is no Python'
  if (implementation !== 'cpython') return `is ${implementation}, not CPython`
  const isNew = Number(major) > 3 || (Number(major) === 3 && Number(minor) >= (OLDEST[1] ?? 0))
  return isNew ? { path: executable, version: `${major}.${minor}` } : `is Python ${major}.${minor}, too old`
}
