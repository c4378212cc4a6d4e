import { accessSync, constants } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { SandboxUnavailable, type ToolLimits } from '#tools/sandbox/tool-runner.ts'

/** How a process is started; what has the same key may stand by for the same calls. */
export interface DenoLaunch {
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  key: string
}

export interface DenoLaunchOptions {
  binary: string
  /** File of this folder that Deno runs. */
  script: string
  scriptArgs: readonly string[]
  /** Files and folders that may be read besides. */
  readable: readonly string[]
  /** Folder whose `node_modules` the code may import from. */
  packages: string | null
  /** Bytes of data that Deno takes before a call; null sets no limit, for measuring them. */
  baselineBytes: number | null
  limits: Pick<ToolLimits, 'cpuSeconds' | 'memoryBytes'>
  /** Processor seconds that go by until the process is ready, at most. */
  startCpuSeconds: number
}

/**
 * All that the process has as environment. A DENO_DIR that cannot be made: else localStorage and caches reach from one call to the next.
 * A HOME without files, where none can be made: else Deno reads the `.npmrc` of the server's user.
 */
const ENVIRONMENT = { DENO_DIR: '/dev/null/x', HOME: '/proc', DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1' }
const FLAGS = ['run', '--no-prompt', '--no-config', '--no-lock', '--no-remote', '--no-npm', '--cached-only']
const OPEN_FILES = 256
const MEBIBYTE = 1024 * 1024
/** Below it V8 has no room for what Deno itself, or Pyodide's JavaScript, needs. */
const MIN_HEAP_MEBIBYTES = 64
/** Collecting garbage on several cores would take them from other calls. */
const V8_FLAGS = ['--single-threaded-gc']
/** Sets the limits of the process and becomes it; a limit that cannot be set ends it with this code. */
export const LIMIT_FAILED = 97

/**
 * Deno without any permission but to read its own files, under limits of the kernel that are inherited by whatever it starts:
 * processor time, memory, size of files (none can be written), open files, core dumps.
 */
export function buildDenoLaunch(options: DenoLaunchOptions): DenoLaunch {
  const { binary, script, scriptArgs, packages, limits } = options
  const readable = [...options.readable, ...(packages === null ? [] : [packages])]
  const heapMebibytes = Math.max(MIN_HEAP_MEBIBYTES, Math.floor(limits.memoryBytes / MEBIBYTE))
  const args = [
    binary,
    ...FLAGS,
    ...(readable.length === 0 ? [] : [`--allow-read=${readable.map(refuseComma).join(',')}`]),
    `--v8-flags=${[...V8_FLAGS, `--max-old-space-size=${heapMebibytes}`].join(',')}`,
    fileURLToPath(new URL(script, import.meta.url)),
    ...scriptArgs,
  ]
  const shell = `${setLimits(options)} exec ${DEATH_SIGNAL}"$@"`
  const all = ['-c', shell, 'sh', ...args]
  return { command: '/bin/sh', args: all, env: ENVIRONMENT, key: JSON.stringify(all) }
}

function setLimits({ limits, baselineBytes, startCpuSeconds }: DenoLaunchOptions): string {
  const cpuSeconds = Math.ceil(limits.cpuSeconds) + startCpuSeconds
  const commands = [
    'ulimit -c 0',
    'ulimit -f 0',
    `ulimit -n ${OPEN_FILES}`,
    // the first is a signal that can be told from others, the second ends what survives it
    `ulimit -S -t ${cpuSeconds}`,
    `ulimit -H -t ${cpuSeconds + 1}`,
    ...(baselineBytes === null ? [] : [`ulimit -d ${Math.ceil((baselineBytes + limits.memoryBytes) / 1024)}`]),
  ]
  return commands.map((command) => `${command} || exit ${LIMIT_FAILED};`).join(' ')
}

/** Deno splits the list at commas, and knows no way to write one that is meant: what comes after it would be allowed too. */
function refuseComma(path: string): string {
  if (!path.includes(',')) return path
  throw new SandboxUnavailable(
    `${path} has a comma in its name, which Deno's permissions cannot express. Use another folder.`,
  )
}

/** util-linux's way to let a process die with the server, however that ends; a system without it does without. */
const DEATH_SIGNAL = hasProgram('/usr/bin/setpriv') ? '/usr/bin/setpriv --pdeathsig KILL -- ' : ''

function hasProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
