import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'
import { messages, protocol } from '@electric-sql/pglite'
import { columnParser } from './column-type.ts'
import type { Statement } from './db.ts'
import { toParameter } from './parameter.ts'
import type { PgliteWorkerData, PgliteWorkerReply, PgliteWorkerRequest } from './pglite-worker.ts'

/** One command of a call: a prepared statement, or a script in the simple protocol. */
export type PgliteCommand = { statement: Statement; params: readonly unknown[] } | { script: string }

/** Forgets all prepared statements; to be sent behind a script that may change tables, in the same message. */
export const deallocateAll: PgliteCommand = { script: 'deallocate all' }

export type CommandResult = { rows: Record<string, unknown>[]; tag: string } | { error: Error }

interface Column {
  name: string
  parse: (text: string) => unknown
}

interface Call {
  commands: readonly PgliteCommand[]
  /** Columns of each command, where they were known when it was sent. */
  columns: (readonly Column[] | undefined)[]
  hasLimit: boolean
  /** How often all prepared statements had been forgotten when it was sent. */
  epoch: number
  resolve: (results: CommandResult[]) => void
  reject: (error: Error) => void
}

/** An error with an SQLSTATE, for what happens to the connection and not to a statement. */
function connectionError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}

const { serialize } = protocol

let compiledCode: Promise<WebAssembly.Module> | undefined

/** PGlite's code, compiled once for all workers of this process: it is half of what opening a database costs. */
function compilePglite(): Promise<WebAssembly.Module> {
  compiledCode ??= readFile(new URL('pglite.wasm', import.meta.resolve('@electric-sql/pglite')))
    .then((bytes) => WebAssembly.compile(bytes))
    .catch((error: unknown) => {
      // for want of memory or file handles, perhaps: the next one tries again
      compiledCode = undefined
      throw error
    })
  return compiledCode
}

/**
 * PGlite in its worker thread, spoken to in PostgreSQL's wire protocol. Statements are prepared once under their name; after
 * that a call is Bind, Execute and Sync in one message, which is 3-6 times faster than PGlite's own `query()`. Calls are
 * answered in the order they are sent in.
 */
export class PgliteConnection {
  readonly #worker: Worker
  #parser = new protocol.Parser()
  readonly #prepared = new Map<string, { text: string; columns: readonly Column[] }>()
  readonly #calls: Call[] = []
  readonly #onNotify: (channel: string, payload: string) => void
  #epoch = 0
  #headSince = 0
  #failure: Error | undefined
  #whenClosed: (() => void) | undefined

  private constructor(worker: Worker, onNotify: (channel: string, payload: string) => void) {
    this.#worker = worker
    this.#onNotify = onNotify
  }

  /** Starts the worker on a data directory; PGlite runs initdb there when it is empty. Throws when PGlite cannot open it. */
  static async open(
    directory: string,
    onNotify: (channel: string, payload: string) => void,
  ): Promise<PgliteConnection> {
    // beside this file, in src as TypeScript and in dist as JavaScript
    const file = new URL(`./pglite-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
    const workerData: PgliteWorkerData = { directory, code: await compilePglite() }
    const worker = new Worker(file, { workerData, name: 'pglite' })
    const connection = new PgliteConnection(worker, onNotify)
    await new Promise<void>((resolve, reject) => {
      worker.on('message', (reply: PgliteWorkerReply) => {
        if (reply.kind === 'ready') resolve()
        else if (reply.kind === 'failed')
          reject(new Error(`cannot open the database in ${directory}: ${reply.message}`))
        else connection.#receive(reply)
      })
      worker.on('error', (error) => {
        const failure = connectionError('08006', `the embedded database stopped: ${error.message}`)
        reject(failure)
        connection.#fail(failure)
      })
      worker.on('exit', () => {
        const failure = connectionError('08006', 'the embedded database stopped')
        reject(failure)
        connection.#fail(failure)
      })
    }).catch(async (error: unknown) => {
      await worker.terminate()
      throw error
    })
    return connection
  }

  /** False after the worker ended; open another connection then. */
  get isOpen(): boolean {
    return this.#failure === undefined
  }

  /** True when nothing waits for an answer. */
  get isIdle(): boolean {
    return this.#calls.length === 0
  }

  /** Sends the commands in one message; results come in their order. After an error inside a transaction the rest fail too. */
  send(commands: readonly PgliteCommand[], options: { hasLimit?: boolean } = {}): Promise<CommandResult[]> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const columns: (readonly Column[] | undefined)[] = []
    const parts: Uint8Array[] = []
    for (const command of commands) {
      if ('script' in command) {
        if (command === deallocateAll) {
          this.#prepared.clear()
          this.#epoch += 1
        }
        columns.push(undefined)
        parts.push(serialize.query(command.script))
      } else {
        columns.push(this.#encode(command.statement, command.params, parts))
      }
    }
    const bytes = join(parts)
    return new Promise((resolve, reject) => {
      if (this.#calls.length === 0) this.#headSince = performance.now()
      this.#calls.push({ commands, columns, hasLimit: options.hasLimit ?? true, epoch: this.#epoch, resolve, reject })
      this.#worker.postMessage({ kind: 'call', bytes } satisfies PgliteWorkerRequest, [bytes.buffer])
    })
  }

  /** Milliseconds that the call at the head has been running for; 0 when idle or when it has no limit. */
  get runningMs(): number {
    return this.#calls[0]?.hasLimit === true ? performance.now() - this.#headSince : 0
  }

  /** Ends the worker at once, as after a power cut; every call that waits fails with `error`. */
  async terminate(error: Error): Promise<void> {
    this.#fail(error)
    await this.#worker.terminate()
  }

  /** Waits until the worker of a connection that is no longer open has stopped. */
  async ended(): Promise<void> {
    await this.#worker.terminate()
  }

  /** Shuts PGlite down; send nothing afterwards. */
  async close(): Promise<void> {
    if (!this.isOpen) return
    await new Promise<void>((resolve) => {
      this.#whenClosed = resolve
      this.#worker.postMessage({ kind: 'close' } satisfies PgliteWorkerRequest)
    })
    await this.terminate(connectionError('57P01', 'the database was closed'))
  }

  #encode(statement: Statement, params: readonly unknown[], parts: Uint8Array[]): readonly Column[] | undefined {
    const { name, text } = statement
    const known = this.#prepared.get(name)
    const values = params.map(toParameter)
    if (known === undefined) {
      // Close first: an earlier call that is still on its way may have prepared it.
      parts.push(serialize.close({ type: 'S', name }), serialize.parse({ name, text }))
      parts.push(serialize.describe({ type: 'S', name }))
    } else if (known.text !== text) {
      throw new Error(`the statement name ${name} stands for two texts; give one of them another name`)
    }
    parts.push(serialize.bind({ statement: name, values }), serialize.execute(), serialize.sync())
    return known?.columns
  }

  #receive(reply: PgliteWorkerReply): void {
    if (reply.kind === 'closed') this.#whenClosed?.()
    if (reply.kind !== 'result') return
    const call = this.#calls.shift()
    this.#headSince = performance.now()
    if (call === undefined) return
    try {
      call.resolve(this.#decode(call, reply.bytes))
    } catch (error) {
      // a value that is not what its type says; the parser stopped in the middle
      this.#parser = new protocol.Parser()
      call.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }

  #decode(call: Call, bytes: Uint8Array): CommandResult[] {
    const results: CommandResult[] = []
    let columns = call.columns[0]
    let rows: Record<string, unknown>[] = []
    let tag = ''
    let error: Error | undefined
    this.#parser.parse(bytes, (message) => {
      if (message instanceof messages.DataRowMessage) {
        rows.push(toRow(columns ?? [], message.fields))
      } else if (message instanceof messages.RowDescriptionMessage) {
        columns = message.fields.map((field) => ({ name: field.name, parse: columnParser(field.dataTypeID) }))
      } else if (message instanceof messages.CommandCompleteMessage) {
        tag = message.text
      } else if (message instanceof messages.DatabaseError) {
        error ??= message
      } else if (message instanceof messages.NotificationResponseMessage) {
        const { channel, payload } = message
        queueMicrotask(() => this.#onNotify(channel, payload))
      } else if (message instanceof messages.ReadyForQueryMessage) {
        const command = call.commands[results.length]
        if (error === undefined && command !== undefined && 'statement' in command) {
          const { name, text } = command.statement
          if (call.epoch === this.#epoch && !this.#prepared.has(name))
            this.#prepared.set(name, { text, columns: columns ?? [] })
        }
        results.push(error === undefined ? { rows, tag } : { error })
        rows = []
        tag = ''
        error = undefined
        columns = call.columns[results.length]
      }
    })
    return results
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    for (const call of this.#calls.splice(0)) call.reject(error)
    this.#whenClosed?.()
  }
}

function toRow(columns: readonly Column[], fields: readonly (string | null)[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let index = 0; index < columns.length; index += 1) {
    const column = columns[index] as Column
    const text = fields[index] ?? null
    row[column.name] = text === null ? null : column.parse(text)
  }
  return row
}

function join(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let sizeBytes = 0
  for (const part of parts) sizeBytes += part.length
  const bytes = new Uint8Array(sizeBytes)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}
