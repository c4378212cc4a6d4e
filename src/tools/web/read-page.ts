import { Worker } from 'node:worker_threads'
import type { PageReply, PageWork } from './page-worker.ts'

/** Threads at once; further pages wait for their turn. */
const MAX_THREADS = 2
/** Of one thread. A page of 5 MiB takes about 150 MiB. */
const MEMORY = { maxOldGenerationSizeMb: 384, maxYoungGenerationSizeMb: 48, stackSizeMb: 4 }
/** For one page, once its turn has come. */
export const READ_LIMIT_MS = 10_000

let running = 0
const waiting = new Set<() => void>()

/** Throws the reason of the signal where that ends the wait. */
async function takeTurn(signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (running < MAX_THREADS) {
    running += 1
    return
  }
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const leave = () => {
    waiting.delete(resolve)
    reject(signal.reason)
  }
  waiting.add(resolve)
  signal.addEventListener('abort', leave, { once: true })
  await promise
  signal.removeEventListener('abort', leave)
}

function giveTurn(): void {
  const [next] = waiting
  if (next === undefined) running -= 1
  else {
    waiting.delete(next)
    next()
  }
}

/** A page that takes more time or memory than a page may. */
export class UnreadablePage extends Error {}

/**
 * Reads a page of HTML in a thread of its own, which is ended after `limitMs`: neither time nor memory nor depth of a page can hold up the
 * server. Throws UnreadablePage, or the reason of the signal.
 */
export async function readPage(work: PageWork, signal: AbortSignal, limitMs = READ_LIMIT_MS): Promise<PageReply> {
  await takeTurn(signal)
  try {
    signal.throwIfAborted()
    return await readInThread(work, signal, limitMs)
  } finally {
    giveTurn()
  }
}

async function readInThread(work: PageWork, signal: AbortSignal, limitMs: number): Promise<PageReply> {
  const file = new URL(`./page-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
  const worker = new Worker(file, { workerData: work, resourceLimits: MEMORY })
  const { promise, resolve, reject } = Promise.withResolvers<PageReply>()
  const onAbort = () => reject(signal.reason)
  const timer = setTimeout(() => reject(new UnreadablePage(`it could not be read in ${limitMs / 1000} s`)), limitMs)
  signal.addEventListener('abort', onAbort, { once: true })
  worker.once('message', resolve)
  worker.once('error', () => reject(new UnreadablePage('it takes too much memory to read')))
  worker.once('exit', () => reject(new UnreadablePage('it could not be read')))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbort)
    await worker.terminate()
  }
}
