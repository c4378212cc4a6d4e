import { parentPort, workerData } from 'node:worker_threads'
import { PGlite } from '@electric-sql/pglite'
import { btree_gin } from '@electric-sql/pglite/contrib/btree_gin'
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm'
import { vector } from '@electric-sql/pglite-pgvector'
import { PgliteDurableFs } from './pglite-durable-fs.ts'

/** The thread that PGlite runs in: it gets protocol messages as bytes and answers with bytes, one after the other. */
export type PgliteWorkerRequest = { kind: 'call'; bytes: Uint8Array } | { kind: 'close' }
export type PgliteWorkerReply =
  | { kind: 'ready' }
  | { kind: 'failed'; message: string }
  | { kind: 'result'; bytes: Uint8Array }
  | { kind: 'closed' }

export interface PgliteWorkerData {
  directory: string
  /** `pglite.wasm`, compiled. */
  code: WebAssembly.Module
}

// PGlite's defaults without `-F` (fsync off), and with the one way of syncing the log that emscripten has.
const startParams = [...PGlite.defaultStartParams.filter((param) => param !== '-F'), '-c', 'wal_sync_method=fsync']

const port = parentPort
if (port === null) throw new Error('pglite-worker.ts runs as a worker thread only')
const reply = (message: PgliteWorkerReply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const { directory, code } = workerData as PgliteWorkerData
const pglite = new PGlite({
  fs: new PgliteDurableFs(directory),
  extensions: { btree_gin, pg_trgm, vector },
  startParams,
  pgliteWasmModule: code,
})

let chunks: Uint8Array[] = []
const onRawData = (bytes: Uint8Array) => {
  // the bytes lie in PGlite's own memory, which it uses again
  chunks.push(bytes.slice())
}

port.on('message', async (request: PgliteWorkerRequest) => {
  if (request.kind === 'close') {
    await pglite.close()
    reply({ kind: 'closed' })
    return
  }
  chunks = []
  await pglite.execProtocolRawStream(request.bytes, { syncToFs: false, onRawData })
  const bytes = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
  reply({ kind: 'result', bytes })
})

try {
  await pglite.waitReady
  reply({ kind: 'ready' })
} catch (error) {
  reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) })
}
