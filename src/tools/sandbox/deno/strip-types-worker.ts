import { stripTypeScriptTypes } from 'node:module'
import { parentPort } from 'node:worker_threads'

/** `code` keeps its lines; `broken` is a fault of the compiler, after which it is not to be used again. */
export type StripReply =
  | { kind: 'code'; code: string }
  | { kind: 'syntax-error'; message: string }
  | { kind: 'broken'; message: string }

const port = parentPort
if (port === null) throw new Error('strip-types-worker.ts runs as a worker thread only')
port.on('message', (source: string) => port.postMessage(strip(source)))

function strip(source: string): StripReply {
  try {
    return { kind: 'code', code: stripTypeScriptTypes(source) }
  } catch (error) {
    if (codeOf(error) !== 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX') return failed(error)
  }
  try {
    // enums and parameter properties have to be written anew, which moves lines
    return { kind: 'code', code: stripTypeScriptTypes(source, { mode: 'transform' }) }
  } catch (error) {
    return failed(error)
  }
}

function failed(error: unknown): StripReply {
  if (!(error instanceof Error)) return { kind: 'broken', message: String(error) }
  if (!(error instanceof SyntaxError)) return { kind: 'broken', message: error.message }
  const line = /^[^\n]*:(\d+)$/m.exec(error.stack ?? '')?.[1]
  return { kind: 'syntax-error', message: `${error.message}${line === undefined ? '' : ` (line ${line})`}` }
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined)
