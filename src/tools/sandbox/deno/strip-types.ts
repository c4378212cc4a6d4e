import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import type { StripReply } from './strip-types-worker.ts'

const KEPT_SOURCES = 500
const MAX_SOURCE_CHARS = 1_000_000
/** A tool takes 0.2 ms; some sources take exponential time. */
const TIMEOUT_MS = 5_000
const MEMORY = { maxOldGenerationSizeMb: 512 }

type Stripped = { kind: 'code'; code: string } | { kind: 'syntax-error'; message: string }

/**
 * Turns TypeScript into JavaScript with its lines in place. Node's compiler runs in a thread of its own: a source that nests too deeply
 * breaks it for good ("memory access out of bounds", whatever comes next), and the thread is then replaced. Starts at the first source.
 */
export class TypeStripper implements AsyncDisposable {
  readonly #known = new Map<string, Stripped>()
  #worker: Worker | undefined
  #answer: (reply: StripReply) => void = () => undefined
  #last: Promise<unknown> = Promise.resolve()

  async strip(source: string): Promise<Stripped> {
    if (source.length > MAX_SOURCE_CHARS) {
      const message = `the source has ${source.length} characters, at most ${MAX_SOURCE_CHARS} are compiled. Shorten it.`
      return { kind: 'syntax-error', message }
    }
    const key = createHash('sha256').update(source).digest('base64')
    const known = this.#known.get(key)
    if (known !== undefined) return known
    // one after the other: a reply is that of the last source
    const work = this.#last.then(() => this.#compile(source))
    this.#last = work
    const stripped = await work
    this.#keep(key, stripped)
    return stripped
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end()
  }

  async #compile(source: string): Promise<Stripped> {
    const reply = await this.#ask(source)
    if (reply.kind !== 'broken') return reply
    await this.#end()
    return {
      kind: 'syntax-error',
      message: `the source cannot be compiled: ${firstLine(reply.message)}. Nest it less deeply.`,
    }
  }

  async #ask(source: string): Promise<StripReply> {
    const reply = Promise.withResolvers<StripReply>()
    this.#answer = reply.resolve
    const timer = setTimeout(() => this.#break(`it took longer than ${TIMEOUT_MS} ms`), TIMEOUT_MS)
    this.#worker ??= this.#start()
    this.#worker.postMessage(source)
    try {
      return await reply.promise
    } finally {
      clearTimeout(timer)
    }
  }

  #start(): Worker {
    const file = new URL(`./strip-types-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    // without the option it would warn, in the server's output, that Node's function is experimental
    const worker = new Worker(file, { resourceLimits: MEMORY, execArgv: ['--disable-warning=ExperimentalWarning'] })
    worker.on('message', (reply: StripReply) => this.#answer(reply))
    worker.on('error', (error) => this.#break(error.message))
    worker.unref()
    return worker
  }

  #break(message: string): void {
    this.#answer({ kind: 'broken', message })
  }

  async #end(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    await worker?.terminate()
  }

  #keep(key: string, stripped: Stripped): void {
    this.#known.set(key, stripped)
    const [oldest] = this.#known.keys()
    if (this.#known.size > KEPT_SOURCES && oldest !== undefined) this.#known.delete(oldest)
  }
}

const firstLine = (text: string): string => text.split('\n', 1)[0]?.replace(/\.$/, '') ?? ''
