import type { TimedProvider } from './provider.ts'

/** What every part of the benchmark works with. */
export interface Bench {
  provider: TimedProvider
  /** A folder that is deleted at the end. */
  folder: string
  /** Variables of a server on the part's database, with the provider over HTTP. */
  env: Record<string, string>
  database: string
}
