import type { InferenceSession } from 'onnxruntime-node'
import { buildBertModel, type Precision } from './build-bert-model.ts'
import { findMiniLm, type MiniLmFiles, notInstalled } from './find-minilm.ts'
import { keepFile, prepareFolder } from './keep-file.ts'
import { NativeGate } from './native-gate.ts'
import { readSafetensors } from './read-safetensors.ts'
import { openTextCutter, type TextCutter } from './text-cutter.ts'

/** To be raised with each change of what `buildBertModel` writes: models of other formats are made anew. */
export const MODEL_FORMAT = 1

export interface SentenceEncoderOptions {
  /** Where the model is kept once it is made; undefined: it is made anew each time. */
  cacheDir: string | undefined
  precision?: Precision
  /** Told what happened that is no reason to stop. */
  onWarning?: (message: string) => void
  /** What calls of ONNX Runtime go through, where the process may exit in the middle of one. */
  gate?: NativeGate
}

/** All-MiniLM-L6-v2 in this thread, which stands still while it works. */
export interface SentenceEncoder extends AsyncDisposable {
  readonly cutter: TextCutter
  readonly dimensions: number
  /** A unit vector for each row of token ids, one after the other. */
  encode(rows: readonly Int32Array[]): Promise<Float32Array>
}

/** Loads the model, and makes it of the weights where the cache has none. Throws EmbeddingError. */
export async function openSentenceEncoder(options: SentenceEncoderOptions): Promise<SentenceEncoder> {
  const ort = await import('onnxruntime-node').catch((cause: unknown) => {
    throw notInstalled('onnxruntime-node', 'which runs the local embedding model', cause)
  })
  const files = await findMiniLm()
  const cutter = await openTextCutter(files.tokenizerPath)
  const { gate = new NativeGate() } = options
  const session = await openSession(ort.InferenceSession, files, { ...options, gate })
  return {
    cutter,
    dimensions: files.shape.hidden_size,
    async encode(rows) {
      const width = Math.max(...rows.map((row) => row.length))
      const ids = new Int32Array(rows.length * width)
      const mask = new Int32Array(rows.length * width)
      rows.forEach((row, index) => {
        ids.set(row, index * width)
        mask.fill(1, index * width, index * width + row.length)
      })
      const shape = [rows.length, width]
      const inputs = { ids: new ort.Tensor('int32', ids, shape), mask: new ort.Tensor('int32', mask, shape) }
      const { vectors } = await gate.run(() => session.run(inputs))
      return vectors?.data as Float32Array
    },
    [Symbol.asyncDispose]: () => gate.run(() => session.release()),
  }
}

const SESSION: InferenceSession.SessionOptions = {
  // the server's other work needs the other processors
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  graphOptimizationLevel: 'all',
  logSeverityLevel: 3,
}

async function openSession(
  Session: typeof InferenceSession,
  files: MiniLmFiles,
  { cacheDir, precision = 'int8', onWarning = () => {}, gate }: SentenceEncoderOptions & { gate: NativeGate },
): Promise<InferenceSession> {
  const folder = cacheDir === undefined ? undefined : await prepareFolder(cacheDir)
  const name = `all-MiniLM-L6-v2-${files.version}-${precision}-${MODEL_FORMAT}.onnx`
  if (folder?.has(name)) {
    try {
      return await gate.run(() => Session.create(folder.pathOf(name), SESSION))
    } catch {
      onWarning(`${folder.pathOf(name)} is damaged, and is made anew`)
    }
  }
  const bytes = buildBertModel(await readSafetensors(files.weightsPath), files.shape, precision)
  if (folder !== undefined) {
    await keepFile(folder.pathOf(name), bytes).catch((error: Error) =>
      onWarning(`the embedding model cannot be kept in ${cacheDir} (${error.message}): it is made anew at each start`),
    )
  }
  return gate.run(() => Session.create(bytes, SESSION))
}
