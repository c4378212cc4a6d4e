import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import { type DenoLaunch, LIMIT_FAILED } from './deno-launch.ts'
import { DenoProcess } from './deno-process.ts'

interface Standby {
  key: string
  process: DenoProcess
}

/**
 * Processes that have started and wait for their one call. There are at most `size` of them, of those launches that were asked for last; none is there
 * before the first call, and none after `idleMs` without a call. A process is handed out once and never comes back.
 */
export class StandbyPool implements AsyncDisposable {
  readonly #size: number
  readonly #idleMs: number
  readonly #standbys: Standby[] = []
  #idle: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(options: { size: number; idleMs: number }) {
    this.#size = options.size
    this.#idleMs = options.idleMs
  }

  get count(): number {
    return this.#standbys.length
  }

  /** A process that is ready for a call. Throws SandboxUnavailable when Deno does not start. */
  async take(launch: DenoLaunch): Promise<DenoProcess> {
    if (this.#isClosed) throw new SandboxUnavailable('the server is shutting down. Send the call again.')
    const standby = this.#find(launch.key)
    const process = standby ?? new DenoProcess(launch)
    this.#restartIdle()
    if (await process.ready) return process
    // a standby may have been killed by the system, long ago: once more, freshly
    if (standby !== undefined) return await this.#start(launch)
    throw await unavailable(process)
  }

  /** Ends all that stand by; what was handed out is not touched. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#idle)
    await this.#clear()
  }

  async #start(launch: DenoLaunch): Promise<DenoProcess> {
    const process = new DenoProcess(launch)
    if (await process.ready) return process
    throw await unavailable(process)
  }

  #find(key: string): DenoProcess | undefined {
    const own = this.#standbys.filter((standby) => standby.key === key)
    const found = own.find(({ process }) => process.isReady) ?? own[0]
    if (found !== undefined) this.#remove(found)
    return found?.process
  }

  /**
   * Starts those that are missing, for calls like one that has just ended: not while it runs, because starting takes a core for
   * 20 ms (TypeScript) or 400 ms (Python).
   */
  refill(launch: DenoLaunch): void {
    if (this.#isClosed) return
    while (this.#standbys.filter(({ key }) => key === launch.key).length < this.#size) {
      const standby = { key: launch.key, process: new DenoProcess(launch) }
      this.#standbys.push(standby)
      void standby.process.ended.then(() => this.#remove(standby))
    }
    for (const standby of this.#standbys.slice(0, Math.max(0, this.#standbys.length - this.#size))) {
      this.#remove(standby)
      void standby.process.kill()
    }
  }

  #remove(standby: Standby): void {
    const index = this.#standbys.indexOf(standby)
    if (index >= 0) this.#standbys.splice(index, 1)
  }

  #restartIdle(): void {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => void this.#clear(), this.#idleMs)
    this.#idle.unref()
  }

  async #clear(): Promise<void> {
    await Promise.all(this.#standbys.splice(0).map(({ process }) => process.kill()))
  }
}

async function unavailable(process: DenoProcess): Promise<SandboxUnavailable> {
  const { code, signal } = await process.kill()
  if (code === LIMIT_FAILED) {
    return new SandboxUnavailable(
      `the limits of the sandbox cannot be set: ${process.stderr.trim()}. Raise the hard limits (ulimit -H) of the server's process.`,
    )
  }
  return new SandboxUnavailable(
    `Deno does not start (${signal ?? `exit ${code}`}): ${process.stderr.trim().slice(-500)}. Check that its package fits this system (glibc), and that the memory is there.`,
  )
}
