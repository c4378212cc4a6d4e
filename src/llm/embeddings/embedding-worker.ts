import { setImmediate } from 'node:timers/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { EmbeddingError, type EmbeddingErrorKind } from './embedder.ts'
import { EncodingJob } from './encoding-job.ts'
import { NativeGate } from './native-gate.ts'
import { openSentenceEncoder, type SentenceEncoder } from './sentence-encoder.ts'

/** The thread that the local model runs in. Whatever is asked before the model is loaded waits. */
export type EmbeddingWorkerRequest =
  | { kind: 'embed'; id: number; texts: readonly string[] }
  | { kind: 'cancel'; id: number }
  | { kind: 'end' }
export type EmbeddingWorkerReply =
  /** The vectors of all texts, one after the other. */
  | { kind: 'vectors'; id: number; vectors: Float32Array<ArrayBuffer> }
  | { kind: 'failed'; id: number; message: string }
  /** The model cannot be loaded; the thread ends. */
  | { kind: 'broken'; error: EmbeddingErrorKind; message: string }
  | { kind: 'warning'; message: string }

const port = parentPort
if (port === null) throw new Error('embedding-worker.ts runs as a worker thread only')
const reply = (message: EmbeddingWorkerReply, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

const { cacheDir, gate } = workerData as { cacheDir: string | undefined; gate: SharedArrayBuffer }
const jobs = new Map<number, EncodingJob>()
let isEnding = false
let wake = (): void => {}

port.on('message', (request: EmbeddingWorkerRequest) => {
  if (request.kind === 'embed') jobs.set(request.id, new EncodingJob(request.texts))
  else if (request.kind === 'cancel') jobs.delete(request.id)
  else isEnding = true
  wake()
})

try {
  await using encoder = await openSentenceEncoder({
    cacheDir,
    gate: new NativeGate(gate),
    onWarning: (message) => reply({ kind: 'warning', message }),
  })
  while (!isEnding) {
    const next = findShortest()
    if (next === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    } else {
      await work(next.id, next.job, encoder)
      // what has come meanwhile may be shorter, or cancel this
      await setImmediate()
    }
  }
} catch (error) {
  const { message } = error as Error
  const kind = error instanceof EmbeddingError ? error.kind : 'unavailable'
  reply({ kind: 'broken', error: kind, message })
}
port.close()

/** The question of a search goes before the many texts of a job in the background, which goes on afterwards. */
function findShortest(): { id: number; job: EncodingJob } | undefined {
  let shortest: { id: number; job: EncodingJob } | undefined
  for (const [id, job] of jobs) {
    if (shortest === undefined || job.characters < shortest.job.characters) shortest = { id, job }
  }
  return shortest
}

async function work(id: number, job: EncodingJob, encoder: SentenceEncoder): Promise<void> {
  try {
    const vectors = await job.advance(encoder)
    if (vectors === undefined) return
    jobs.delete(id)
    reply({ kind: 'vectors', id, vectors }, [vectors.buffer])
  } catch (error) {
    jobs.delete(id)
    reply({ kind: 'failed', id, message: (error as Error).message })
  }
}
