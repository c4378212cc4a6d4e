import pg from 'pg'

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5000

/** One connection of its own for LISTEN: opened with the first channel, opened again with growing pauses when it is lost. */
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
      if (listeners.size > 0) return
      this.#listeners.delete(channel)
      await this.#run(`unlisten ${pg.escapeIdentifier(channel)}`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    const client = await this.#client?.catch(() => undefined)
    await client?.end().catch(() => {})
  }

  /** A failure means that the connection is lost; the next one listens on everything. */
  async #run(command: string): Promise<void> {
    if (this.#isClosed) return
    try {
      this.#client ??= this.#connect()
      const client = await this.#client
      await client.query(command)
    } catch {
      this.#reconnectLater()
    }
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client(this.#config)
    client.on('error', () => {})
    client.once('end', () => this.#reconnectLater())
    client.on('notification', ({ channel, payload }) => {
      for (const listener of this.#listeners.get(channel) ?? []) listener(payload ?? '')
    })
    await client.connect()
    for (const channel of this.#listeners.keys()) await client.query(`listen ${pg.escapeIdentifier(channel)}`)
    this.#retryMs = FIRST_RETRY_MS
    return client
  }

  #reconnectLater(): void {
    if (this.#isClosed || this.#retry !== undefined) return
    this.#client = undefined
    this.#retry = setTimeout(() => {
      this.#retry = undefined
      this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS)
      this.#client = this.#connect()
      this.#client.catch(() => this.#reconnectLater())
    }, this.#retryMs).unref()
  }
}
