import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { constants, setPriority, tmpdir } from 'node:os'
import { type Readable, Readable as ReadableStream } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import type { Piece } from '#memory/files/split-passages.ts'
import type { DocumentFormat } from './document-format.ts'
import type { ParserReply } from './parse-document-worker.ts'
import { UnreadableFile } from './unreadable-file.ts'

/** The text of a file, of documents as Markdown, and what it is cut into. */
export interface ParsedDocument {
  text: string
  lineCount: number
  pieces: Piece[]
}

export interface ParserLimits {
  /** From when it has the whole file. */
  timeoutMs: number
  /** Of the heap of JavaScript. */
  heapMb: number
  /** Of the whole process; watched on Linux, where buffers outside of the heap would not be noticed otherwise. */
  memoryMb: number
  /** Of all that the process sends. */
  replyBytes: number
}

const LIMITS: ParserLimits = { timeoutMs: 120_000, heapMb: 768, memoryMb: 1_536, replyBytes: 400 * 1024 * 1024 }
const MEMORY_CHECK_MS = 200
const PAGE_BYTES = 4096

/** The process that read a file was killed or died, for the reason that the message says. Another attempt may go better. */
export class ParserKilled extends Error {}

/** What the process may read: the code of the server, and packages. Nothing else of the disk, and it may write nothing and start nothing. */
function readableFolders(): string[] {
  const code = fileURLToPath(new URL('../../../', import.meta.url))
  const packageFile = fileURLToPath(new URL('../../../../package.json', import.meta.url))
  const folders = createRequire(import.meta.url).resolve.paths('any-package') ?? []
  const found = [code, packageFile, ...folders].filter((path) => existsSync(path))
  return [...new Set([...found, ...found.map((path) => realpathSync(path))])]
}

/**
 * Reads a file in a process of its own, without environment, which is killed when it takes too much time or memory or the signal is aborted: no
 * file can hurt the server. Throws UnreadableFile for what cannot be read, ParserKilled, or the reason of the signal.
 */
export async function parseDocument(
  content: AsyncIterable<Uint8Array>,
  format: DocumentFormat,
  signal: AbortSignal,
  limits: ParserLimits = LIMITS,
): Promise<ParsedDocument> {
  signal.throwIfAborted()
  const child = startParser(format, limits)
  const { promise: ended, reject: end } = Promise.withResolvers<never>()
  ended.catch(() => undefined)
  const onAbort = () => end(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  const seconds = limits.timeoutMs / 1000
  let timer: NodeJS.Timeout | undefined
  const onFed = () => {
    timer = setTimeout(() => end(new ParserKilled(`it took longer than ${seconds} s to read`)), limits.timeoutMs)
  }
  const watch = setInterval(() => {
    if (memoryOf(child) > limits.memoryMb * 1024 * 1024) end(tooMuchMemory())
  }, MEMORY_CHECK_MS)
  try {
    return await Promise.race([converse(child, feed(content, onFed), limits), ended])
  } finally {
    clearTimeout(timer)
    clearInterval(watch)
    signal.removeEventListener('abort', onAbort)
    child.kill('SIGKILL')
  }
}

const tooMuchMemory = () => new ParserKilled('it took too much memory to read')

/** So that a parser whose server was killed, and kills it no more, ends by itself; and without a dump of its memory on the disk. */
const SHELL = '/bin/sh'
const LIMITED_START = 'ulimit -c 0; ulimit -t "$0"; exec "$@"'

function startParser(format: DocumentFormat, { heapMb, timeoutMs }: ParserLimits): ChildProcess {
  const file = new URL(`./parse-document-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
  const flags = [
    '--permission',
    ...readableFolders().map((path) => `--allow-fs-read=${path}`),
    `--max-old-space-size=${heapMb}`,
    '--no-warnings',
  ]
  const command = [process.execPath, ...flags, fileURLToPath(file), format] as const
  // several threads use up more than a second in a second
  const cpuSeconds = String(Math.ceil(timeoutMs / 1000) * 2)
  const [program, ...args] = existsSync(SHELL)
    ? ([SHELL, '-c', LIMITED_START, cpuSeconds, ...command] as const)
    : command
  const child = spawn(program, args, {
    cwd: tmpdir(),
    env: {},
    stdio: ['pipe', 'ignore', 'pipe', 'pipe'],
    windowsHide: true,
  })
  try {
    // people who wait for answers come first
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL)
  } catch {
    // it has ended already
  }
  return child
}

/** Resident bytes, 0 where that cannot be told. */
function memoryOf({ pid }: ChildProcess): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES
  } catch {
    return 0
  }
}

/** A storage may take its time; a parser begins when it has everything. */
async function* feed(content: AsyncIterable<Uint8Array>, onFed: () => void): AsyncGenerator<Uint8Array> {
  yield* content
  onFed()
}

async function converse(
  child: ChildProcess,
  content: AsyncIterable<Uint8Array>,
  { replyBytes }: ParserLimits,
): Promise<ParsedDocument> {
  const failed = once(child, 'error').then(([error]) => {
    throw error
  })
  const exited = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
  exited.catch(() => undefined)
  const lastWords = collectEnd(child.stderr)
  const { stdin } = child
  if (stdin === null) throw new Error('the parser has no standard input')
  // a parser that refuses or dies reads no further; why is told by its reply or its end
  const fed = pipeline(ReadableStream.from(content), stdin).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_PREMATURE_CLOSE' && error.code !== 'ECONNRESET')
      throw error
  })
  const read = async () => {
    const [parsed] = await Promise.all([readReplies(child.stdio[3] as Readable, replyBytes), fed])
    if (parsed !== undefined) return parsed
    const [code, signal] = await exited
    throw problemOf(code, signal, await lastWords)
  }
  return Promise.race([read(), failed])
}

function problemOf(code: number | null, signal: string | null, lastWords: string): Error {
  if (signal === 'SIGABRT' || code === 134 || /heap out of memory|allocation failed/i.test(lastWords)) {
    return tooMuchMemory()
  }
  const [why = ''] = /^\w*Error.*$/m.exec(lastWords) ?? []
  return new ParserKilled(`the process that read it ended with ${signal ?? `code ${code}`}${why && `: ${why}`}`)
}

/** Undefined where the process ended without an end. */
async function readReplies(channel: Readable, maxBytes: number): Promise<ParsedDocument | undefined> {
  const texts: string[] = []
  const pieces: Piece[] = []
  let lineCount: number | undefined
  for await (const line of linesOf(channel, maxBytes)) {
    const reply = JSON.parse(line) as ParserReply
    if ('unreadable' in reply) throw new UnreadableFile(reply.unreadable)
    if ('text' in reply) texts.push(reply.text)
    else if ('pieces' in reply) pieces.push(...reply.pieces)
    else lineCount = reply.end.lineCount
  }
  return lineCount === undefined ? undefined : { text: texts.join(''), lineCount, pieces }
}

async function* linesOf(channel: Readable, maxBytes: number): AsyncGenerator<string> {
  const parts: Buffer[] = []
  let total = 0
  for await (const chunk of channel as AsyncIterable<Buffer>) {
    total += chunk.length
    if (total > maxBytes) throw new ParserKilled('it has too much text')
    let rest = chunk
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      parts.push(rest.subarray(0, at))
      yield Buffer.concat(parts.splice(0)).toString()
      rest = rest.subarray(at + 1)
    }
    parts.push(rest)
  }
}

const LAST_WORDS_CHARS = 4_000

async function collectEnd(stream: Readable | null): Promise<string> {
  let end = ''
  for await (const chunk of (stream ?? []) as AsyncIterable<Buffer>)
    end = (end + chunk.toString()).slice(-LAST_WORDS_CHARS)
  return end
}
