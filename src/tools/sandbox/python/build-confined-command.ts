import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import { findPython, PYTHON_FLAGS } from './find-python.ts'

const run = promisify(execFile)

const LAUNCHER = fileURLToPath(new URL('./confine.py', import.meta.url))
/** V8 alone takes some 560 MB of what RLIMIT_DATA counts before it runs anything; a JavaScript program could not start with less. */
const RUNTIME_BYTES = 768 * 1024 * 1024
const LIMIT_MS = 20_000

export interface ConfinedProgram {
  /** A path, or a name that is looked for in the `PATH` of `env`. */
  command: string
  args: readonly string[]
  /** The whole environment of the program. */
  env: Readonly<Record<string, string>>
  /** Files and folders that it may read and execute, besides the system's programs and libraries. */
  readPaths: readonly string[]
  /** The one folder that it may write to, and where it is started; null for none. */
  writePath: string | null
  /** Any host (true), none (false), or TCP connections to these ports alone (where the kernel has Landlock 4, else any). */
  allowsNetwork: boolean | readonly number[]
  /** Beyond what the runtimes of languages take; of each process. */
  memoryBytes: number
  /** Of each file that it writes. */
  fileBytes?: number
  pythonPath?: string | undefined
}

/**
 * What to spawn in place of a program, so that the kernel confines it (Landlock, seccomp, rlimits) before it runs. The program keeps its
 * stdin and stdout, and ends when the process that spawned it ends.
 * @throws SandboxUnavailable where a layer cannot be had: tried with a program that does nothing
 */
export async function buildConfinedCommand(
  program: ConfinedProgram,
): Promise<{ command: string; args: string[]; env: Record<string, string> }> {
  const python = await findPython(program.pythonPath)
  const specification = JSON.stringify({
    read: program.readPaths,
    write: program.writePath,
    network: program.allowsNetwork,
    memory: program.memoryBytes + RUNTIME_BYTES,
    file: program.fileBytes ?? 1024 * 1024 * 1024,
  })
  const before = [...PYTHON_FLAGS, LAUNCHER, specification]
  await tryLayers(python.path, before)
  return {
    command: python.path,
    args: [...before, program.command, ...program.args],
    env: { PERDURE_CONFINED_ENV: JSON.stringify(program.env) },
  }
}

async function tryLayers(python: string, before: readonly string[]): Promise<void> {
  const env = { PERDURE_CONFINED_ENV: JSON.stringify({ PATH: '/usr/bin:/bin' }) }
  try {
    await run(python, [...before, 'true'], { env, timeout: LIMIT_MS })
  } catch (error) {
    const words = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error)
    throw new SandboxUnavailable(`Programs cannot be confined on this machine. ${words}`)
  }
}
