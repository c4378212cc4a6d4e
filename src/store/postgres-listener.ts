import pg from 'pg'
import { hangUp } from './hang-up.ts'
import { requirePrimary } from './require-primary.ts'

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000

/**
 * One connection of its own for LISTEN: opened with the first channel, opened again with growing pauses when it is lost.
 * Never to a standby, which refuses LISTEN.
 */
export class PostgresListener implements AsyncDisposable {
  readonly #config: pg.ClientConfig
  readonly #listeners = new Map<string, Set<(payload: string) => void>>()
  #client: Promise<pg.Client> | undefined
  #retry: NodeJS.Timeout | undefined
  #retryMs = FIRST_RETRY_MS
  #isClosed = false

  constructor(config: pg.ClientConfig) {
    this.#config = config
  }

  /** Waits until the channel is listened on, unless the database is gone: then it is as soon as it is back. */
  async listen(channel: string, onNotify: (payload: string) => void): Promise<() => Promise<void>> {
    const listeners = this.#listeners.get(channel) ?? new Set()
    this.#listeners.set(channel, listeners)
    listeners.add(onNotify)
    await this.#run(`listen ${pg.escapeIdentifier(channel)}`)
    return async () => {
      listeners.delete(onNotify)
      if (listeners.size > 0 || this.#listeners.get(channel) !== listeners) return
      this.#listeners.delete(channel)
      await this.#run(`unlisten ${pg.escapeIdentifier(channel)}`)
    }
  }

  /** To be called when the address leads to another server: the one that was listened to tells nothing any more. */
  reconnect(): void {
    this.#client?.then(hangUp, () => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    const client = await this.#client?.catch(() => undefined)
    await client?.end().catch(() => {})
  }

  /** A failure means that the connection is lost; the next one listens on everything. */
  async #run(command: string): Promise<void> {
    // while a new connection is waited for there is nothing to send: it begins with every channel
    if (this.#isClosed || this.#retry !== undefined) return
    this.#client ??= this.#open()
    const current = this.#client
    try {
      const client = await current
      await client.query(command).catch((error: unknown) => {
        hangUp(client)
        throw error
      })
    } catch {
      this.#reopenLater(current)
    }
  }

  #open(): Promise<pg.Client> {
    const client = new pg.Client(this.#config)
    client.on('error', () => {})
    client.on('notification', ({ channel, payload }) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload ?? '')
    })
    const opened = this.#connect(client)
    client.once('end', () => this.#reopenLater(opened))
    return opened
  }

  async #connect(client: pg.Client): Promise<pg.Client> {
    try {
      await client.connect()
      await requirePrimary(client)
      for (const channel of this.#listeners.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    } catch (error) {
      hangUp(client)
      throw error
    }
    this.#retryMs = FIRST_RETRY_MS
    return client
  }

  /** @param lost the connection that is; another one may have taken its place already */
  #reopenLater(lost: Promise<pg.Client>): void {
    if (this.#isClosed || this.#client !== lost) return
    this.#client = undefined
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
      const opened = this.#open()
      this.#client = opened
      opened.catch(() => this.#reopenLater(opened))
    }, this.#retryMs).unref()
  }
}
