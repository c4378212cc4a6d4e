import { parentPort, workerData } from 'node:worker_threads'
import { compilePattern } from './compile-pattern.ts'
import { type GrepMatch, type GrepRequest, grepLines } from './grep-lines.ts'

/** The thread in which a pattern of a model is tried: it can be ended whatever the pattern does. One text after the other. */
export interface GrepReply {
  matches: GrepMatch[]
}

const port = parentPort
if (port === null) throw new Error('grep-worker.ts runs as a worker thread only')

const pattern = compilePattern((workerData as { pattern: string }).pattern)
port.on('message', (request: GrepRequest) => {
  port.postMessage({ matches: grepLines(pattern, request) } satisfies GrepReply)
})
