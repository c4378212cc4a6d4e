import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import type { Program } from './stdio-transport.ts'

const MIB = 1024 * 1024
/** For a program with its interpreter: a Node server takes some 100 MiB. */
const MEMORY_BYTES = 1024 * MIB
/** Where programs are looked for; nothing of this process's own PATH. */
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What a program is to be held to. */
export interface Confinement {
  command: string
  args: readonly string[]
  env: Readonly<Record<string, string>>
  /** Besides what every program needs to run. */
  readPaths: readonly string[]
  writePath: string
  allowsNetwork: boolean
  memoryBytes: number
}

/** Wraps a command so that it runs confined. Throws SandboxUnavailable where the machine cannot. */
export type ConfineCommand = (
  confinement: Confinement,
) => Promise<{ command: string; args: readonly string[]; env: Readonly<Record<string, string>> }>

export interface ProgramPolicy {
  /** What PERDURE_MCP_STDIO says. */
  stdio: 'off' | 'on' | 'unconfined'
  /** Undefined where there is no sandbox for programs. */
  confine?: ConfineCommand | undefined
  /** What programs may read besides what every program needs. Never what a server's own configuration names: clients write that. */
  readPaths: readonly string[]
}

/** A program ready to be started, in a folder of its own that `dispose` deletes. */
export interface PreparedProgram extends AsyncDisposable {
  program: Program
}

/**
 * A server's command as it may be started here: in the sandbox, with a folder of its own and no environment but its own. Throws
 * SandboxUnavailable where programs are not allowed, or not confined although they must be.
 */
export async function prepareProgram(
  wanted: { command: string; args: readonly string[]; env: Readonly<Record<string, string>> },
  { stdio, confine, readPaths }: ProgramPolicy,
): Promise<PreparedProgram> {
  if (stdio === 'off') throw new SandboxUnavailable('programs are not started here (PERDURE_MCP_STDIO is off)')
  if (stdio === 'on' && confine === undefined) {
    throw new SandboxUnavailable(
      'this machine has no sandbox for programs; PERDURE_MCP_STDIO=unconfined would run them with the rights of this server',
    )
  }
  const folder = await mkdtemp(join(tmpdir(), 'perdure-mcp-'))
  const dispose = () => rm(folder, { recursive: true, force: true })
  try {
    const env = { PATH, HOME: folder, ...wanted.env }
    const confinement = { ...wanted, env, readPaths, writePath: folder, allowsNetwork: true, memoryBytes: MEMORY_BYTES }
    const command = stdio === 'on' && confine !== undefined ? await confine(confinement) : { ...wanted, env }
    return { program: { ...command, cwd: folder }, [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}
