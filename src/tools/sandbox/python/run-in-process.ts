import { constants } from 'node:os'
import type { ToolCall, ToolFailureKind, ToolRunResult } from '#tools/sandbox/tool-runner.ts'
import { SandboxUnavailable } from '#tools/sandbox/tool-runner.ts'
import type { ForkServer, ProcessEnd } from './fork-server.ts'
import { FrameReader, toFrame } from './frame-reader.ts'
import { maxReplyBytes, NO_OUTPUT, parseReply } from './python-reply.ts'
import { countThreads, measureScratch } from './scratch-folders.ts'

/** Most calls are over before the first look at what they use. */
const WATCH_MS = 100
/** Each costs the kernel some 20 KB that no limit of the process counts. */
const MAX_THREADS = 128
/** What our own code says before that of a tool runs. */
const MAX_OWN_WORDS_BYTES = 10_000
const START_LIMIT_MS = 15_000

export interface CallPlace {
  /** A private folder for the call; null where nothing can be written. */
  scratch: string | null
  /** How the broker is asked; null without network. */
  broker: { name: string; token: string } | null
}

/** What is wrong with a server that ended before the call began; the call was not run and can be tried with another. */
export class ServerLost extends SandboxUnavailable {}

type Verdict = { kind: ToolFailureKind; type: string; message: string }

const CANCELLED: Verdict = { kind: 'cancelled', type: 'CancelledError', message: 'The call was cancelled.' }

export const failure = (verdict: Verdict): ToolRunResult => ({ status: 'error', ...verdict, ...NO_OUTPUT })
export const cancelled = (): ToolRunResult => failure(CANCELLED)

/**
 * Runs a call in the next process of the fork server and waits until that process is gone.
 * @throws SandboxUnavailable where a layer cannot be had, ServerLost where the server went before the code ran
 */
export async function runInProcess(
  server: ForkServer,
  call: ToolCall,
  place: CallPlace,
  signal: AbortSignal,
): Promise<ToolRunResult> {
  const payload = toPayload(call, place)
  if (payload === undefined) return failure(TOO_DEEP)
  const { serial, pid, reader } = await begin(server, payload)
  const end = server.waitForEnd(serial)
  let verdict: Verdict | undefined
  const stop = (why: Verdict) => {
    verdict ??= why
    server.kill(serial)
  }
  const cancel = () => stop(CANCELLED)
  const wall = setTimeout(() => stop(tooLong(call.limits.wallMs)), call.limits.wallMs)
  const watch = watchProcess(pid, call, place, stop)
  signal.addEventListener('abort', cancel)
  if (signal.aborted) cancel()
  try {
    const reply = await reader.next(maxReplyBytes(call))
    // it has said what it had to say; it ends by itself, but perhaps does not want to
    server.kill(serial)
    const ended = await end
    if (reply !== undefined) return parseReply(reply, call) ?? failure(BROKEN)
    return failure(verdict ?? (reader.isBroken ? BROKEN : toVerdict(ended, call)))
  } finally {
    clearTimeout(wall)
    clearInterval(watch)
    signal.removeEventListener('abort', cancel)
    server.forget(serial)
  }
}

async function begin(server: ForkServer, payload: Buffer) {
  const socket = await server.connect().catch((error: Error) => {
    throw new ServerLost(`Python for tools does not answer: ${error.message}`)
  })
  const reader = new FrameReader(socket)
  const timer = setTimeout(() => socket.destroy(), START_LIMIT_MS)
  try {
    const hello = (await reader.next(MAX_OWN_WORDS_BYTES)) as { serial: number; pid: number } | undefined
    if (hello === undefined) throw new ServerLost('Python for tools ended before it took a call.')
    socket.write(payload)
    const layers = (await reader.next(MAX_OWN_WORDS_BYTES)) as { confined?: true; refused?: string } | undefined
    if (layers?.confined !== true) {
      server.kill(hello.serial)
      await server.waitForEnd(hello.serial)
      const reason = layers?.refused ?? 'its process ended before it was confined'
      throw layers === undefined && !server.isRunning
        ? new ServerLost(reason)
        : new SandboxUnavailable(`A Python tool could not be confined: ${reason}.`)
    }
    return { ...hello, reader }
  } catch (error) {
    socket.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/**
 * What is needed to confine the process, and the call itself as text: it is read only by a process that is confined. Undefined for
 * arguments that JSON cannot be made of.
 */
function toPayload(call: ToolCall, { scratch, broker }: CallPlace): Buffer | undefined {
  const { sourceCode, functionName, args, env, agentState, packages, limits } = call
  try {
    const text = JSON.stringify({ source: sourceCode, functionName, args, env, agentState })
    return toFrame({ packages, limits, scratch, broker, call: text })
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** What no limit of the kernel counts. */
function watchProcess(pid: number, { limits }: ToolCall, { scratch }: CallPlace, stop: (why: Verdict) => void) {
  let isLooking = false
  const look = async () => {
    if (isLooking) return
    isLooking = true
    try {
      const written = scratch === null ? 0 : await measureScratch(scratch, pid, limits.scratchBytes)
      if (written > limits.scratchBytes) stop(tooMuchWritten(limits.scratchBytes))
      if ((await countThreads(pid)) > MAX_THREADS) stop(TOO_MANY_THREADS)
    } finally {
      isLooking = false
    }
  }
  return setInterval(() => void look(), WATCH_MS)
}

const BROKEN: Verdict = {
  kind: 'died',
  type: 'BrokenReply',
  message: 'What the code replied was broken or too large, so it was ended.',
}
const TOO_DEEP: Verdict = {
  kind: 'exception',
  type: 'RecursionError',
  message: 'The arguments are nested too deep.',
}
const TOO_MANY_THREADS: Verdict = {
  kind: 'died',
  type: 'RuntimeError',
  message: `The code had more than ${MAX_THREADS} threads, so it was ended.`,
}
const tooLong = (ms: number): Verdict => ({
  kind: 'time-out',
  type: 'TimeoutError',
  message: `The code did not end within ${ms / 1000} s.`,
})
const tooMuchWritten = (bytes: number): Verdict => ({
  kind: 'died',
  type: 'OSError',
  message: `The code wrote more than ${Math.round(bytes / 1024 / 1024)} MB of files, so it was ended.`,
})

/** How a process ended that did not reply. */
function toVerdict(end: ProcessEnd | undefined, { limits }: ToolCall): Verdict {
  if (end === undefined) {
    return {
      kind: 'died',
      type: 'ProcessLost',
      message: 'The process that runs Python tools ended. Call the tool again.',
    }
  }
  const { SIGXCPU, SIGKILL } = constants.signals
  if (end.code === -SIGXCPU || (end.code === -SIGKILL && end.cpuSeconds >= limits.cpuSeconds)) {
    const message = `The code used more than ${limits.cpuSeconds} s of CPU time.`
    return { kind: 'time-out', type: 'TimeoutError', message }
  }
  if (end.code >= 0) {
    const message = `The code ended its process (exit code ${end.code}) before it returned.`
    return { kind: 'died', type: 'SystemExit', message }
  }
  const name =
    Object.entries(constants.signals).find(([, number]) => number === -end.code)?.[0] ?? `signal ${-end.code}`
  const hint = end.code === -SIGKILL ? '; the machine may have no memory left' : ''
  return { kind: 'died', type: 'ProcessCrash', message: `The process of the code ended with ${name}${hint}.` }
}
