import { fileURLToPath } from 'node:url'
import { startScript } from './script-process.ts'

/** What the provider was asked. */
export interface ProviderBook {
  /** By the key of the task: how often each step was asked for. */
  calls: Record<string, number[]>
  /** Requests that are being answered. */
  active: number
  /** Milliseconds of all requests together, and of the clock, since the book was reset. */
  activeMs: number
  sinceMs: number
}

export interface TimedProvider {
  /** Base URL with `/v1`, as OPENAI_BASE_URL wants it. */
  url: string
  pid: number
  book(options?: { isReset: boolean }): Promise<ProviderBook>
  stop(): Promise<void>
}

const SCRIPT = fileURLToPath(new URL('../timed-provider.ts', import.meta.url))

export async function startTimedProvider(): Promise<TimedProvider> {
  const { first, pid, stop } = await startScript(SCRIPT)
  const { url } = JSON.parse(first) as { url: string }
  return {
    url: `${url}/v1`,
    pid,
    stop,
    book: async (options) =>
      (await (await fetch(`${url}/book${options?.isReset ? '?reset' : ''}`)).json()) as ProviderBook,
  }
}
