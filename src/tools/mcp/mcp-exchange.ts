import { AsyncLocalStorage } from 'node:async_hooks'

/** One request to a server under way, for the HTTP below the client library, which knows requests and not calls. */
export interface McpExchange {
  /** Sent with this request besides those of the connection. */
  headers: Readonly<Record<string, string>>
  /** It is worked on again: another message of it is sent, or the rest of its stream comes. */
  began(): void
  /** An HTTP request of it failed; the library may tell less of why. */
  faulted(error: unknown): void
  /** Ends the request: the library would wait for an answer that cannot come. */
  fail(error: Error): void
  /** The stream that would bring the answer has ended; `mayResume` when the library will ask for the rest of it. */
  streamEnded(mayResume: boolean): void
}

/** The exchange that the current code works for. */
export const currentExchange = new AsyncLocalStorage<McpExchange>()
