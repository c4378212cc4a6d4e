import type { Resolve } from '#platform/guarded-lookup.ts'
import type { Logger } from '#platform/logger.ts'
import { NetworkBroker } from '#tools/sandbox/network/network-broker.ts'
import { ToolNetwork } from '#tools/sandbox/network/tool-network.ts'
import { SandboxUnavailable, type ToolCall, type ToolRunner, type ToolRunResult } from '#tools/sandbox/tool-runner.ts'
import { WaitingLine } from '#tools/sandbox/waiting-line.ts'
import { findPython } from './find-python.ts'
import { ForkServer } from './fork-server.ts'
import { Restartable } from './restartable.ts'
import { cancelled, runInProcess, ServerLost } from './run-in-process.ts'
import { removeFolder, ScratchFolders } from './scratch-folders.ts'
import { testSandbox } from './self-test.ts'

const STANDBYS = 3
/** Whatever the kernel has. */
const NEWEST_LANDLOCK_ABI = 1000

export interface CpythonRunnerOptions {
  logger: Logger
  /** Calls at once; others wait in the order in which they came. */
  maxConcurrent: number
  /** Whether tools may connect to addresses behind the server too. */
  allowsPrivateAddresses: boolean
  /** An interpreter; without it, the system's python3. */
  pythonPath?: string | undefined
  /** Where the folders of calls are made; null for none, without it the system's folder for temporary files. */
  scratchRoot?: string | null | undefined
  /** Files and folders that the code of every call may read: certificates of one's own, for example. */
  readPaths?: readonly string[]
  /** Uses no more of Landlock than this version has, for tests of what older kernels can. */
  maxLandlockAbi?: number
  /** Instead of the system's resolver. */
  resolveHost?: Resolve | undefined
}

/**
 * Runs Python tools in CPython, each call in a process of its own that Landlock, seccomp and rlimits confine.
 * @throws SandboxUnavailable with the reason, where anything of that cannot be had or a self-test finds that it does not hold
 */
export async function openCpythonRunner(options: CpythonRunnerOptions): Promise<ToolRunner> {
  if (process.platform !== 'linux') {
    throw new SandboxUnavailable(`Python tools are confined by Linux; this is ${process.platform}.`)
  }
  const { path } = await findPython(options.pythonPath)
  const scratch = await ScratchFolders.open(options.scratchRoot)
  const runner = new CpythonRunner(options, path, scratch)
  try {
    await testSandbox(runner)
  } catch (error) {
    await runner[Symbol.asyncDispose]()
    throw error
  }
  return runner
}

class CpythonRunner implements ToolRunner {
  readonly level = 'cpython'
  readonly language = 'python'
  readonly #options: CpythonRunnerOptions
  readonly #scratch: ScratchFolders | undefined
  readonly #network: ToolNetwork
  readonly #line: WaitingLine
  readonly #disposal = new AbortController()
  readonly #running = new Set<Promise<unknown>>()
  readonly #server: Restartable<ForkServer>
  readonly #broker: Restartable<NetworkBroker>

  constructor(options: CpythonRunnerOptions, python: string, scratch: ScratchFolders | undefined) {
    this.#options = options
    this.#scratch = scratch
    this.#network = new ToolNetwork({ allowsPrivate: options.allowsPrivateAddresses, resolve: options.resolveHost })
    this.#line = new WaitingLine(options.maxConcurrent)
    const { logger, maxConcurrent, readPaths = [], maxLandlockAbi = NEWEST_LANDLOCK_ABI } = options
    const standbys = Math.min(STANDBYS, maxConcurrent)
    this.#server = new Restartable(() => ForkServer.start({ python, standbys, readPaths, maxLandlockAbi, logger }))
    this.#broker = new Restartable(() => NetworkBroker.start(python, this.#network, logger))
  }

  async run(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult> {
    const ended = AbortSignal.any([signal, this.#disposal.signal])
    if (!(await this.#line.enter(ended))) return cancelled()
    const running = this.#runNow(call, ended)
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
      this.#line.leave()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposal.abort()
    await Promise.allSettled(this.#running)
    await Promise.all([this.#server.stop(), this.#broker.stop()])
    await this.#scratch?.[Symbol.asyncDispose]()
  }

  async #runNow(call: ToolCall, signal: AbortSignal): Promise<ToolRunResult> {
    const token = call.network.kind === 'none' ? null : this.#network.open(call.network)
    let folder: string | null = null
    try {
      const broker = token === null ? null : { name: (await this.#broker.get()).name, token }
      folder = (await this.#scratch?.create()) ?? null
      const place = { scratch: folder, broker }
      try {
        return await runInProcess(await this.#server.get(), call, place, signal)
      } catch (error) {
        if (!(error instanceof ServerLost) || signal.aborted) throw error
        return await runInProcess(await this.#server.get(), call, place, signal)
      }
    } finally {
      if (token !== null) this.#network.close(token)
      if (folder !== null) await this.#removeScratch(folder)
    }
  }

  async #removeScratch(folder: string): Promise<void> {
    await removeFolder(folder).catch((error: unknown) => {
      this.#options.logger.warn({ err: error }, `the folder of a tool's call is left at ${folder}`)
    })
  }
}
