import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { startScript } from './script-process.ts'

export interface ReaderJob {
  origin: string
  requests: { path: string; body: object }[]
  /** Milliseconds over which the requests are sent. */
  rampMs: number
  /** Milliseconds after which ages count: when all streams are under way. */
  measureAfterMs: number
}

/** Milliseconds from the piece's stamp to its arrival. */
export interface ReaderResult {
  pieces: number
  ends: number
  measured: number
  p50: number
  p99: number
  max: number
  problem: string | undefined
}

const SCRIPT = fileURLToPath(new URL('../stream-readers.ts', import.meta.url))

/** Reads streams in a process of its own. Throws when one of them failed. */
export async function readStreams(job: ReaderJob): Promise<ReaderResult> {
  const { lines } = await startScript(SCRIPT, JSON.stringify(job))
  const [line] = (await once(lines, 'line')) as [string]
  const result = JSON.parse(line) as ReaderResult
  if (result.problem !== undefined) throw new Error(`a stream failed: ${result.problem}`)
  return result
}
