import type { SentenceEncoder } from './sentence-encoder.ts'

/** Tokens of one batch, padding included: more makes it hardly faster, and whoever asks next waits until it is done, some 50 ms. */
const BATCH_TOKENS = 256
/** Characters that are cut into tokens in one step. */
const STEP_CHARACTERS = 16_000

interface Piece {
  textIndex: number
  ids: Int32Array
}

/** The texts of one call, worked through in steps of some ten milliseconds. */
export class EncodingJob {
  readonly #texts: readonly string[]
  /** Those that are cut and have no vector yet; the longest last, once all texts are cut. */
  readonly #pieces: Piece[] = []
  #cutTexts = 0
  #vectors: Float32Array<ArrayBuffer> | undefined
  /** Length of all texts together. */
  readonly characters: number

  constructor(texts: readonly string[]) {
    this.#texts = texts
    this.characters = texts.reduce((sum, text) => sum + text.length, 0)
  }

  /** Does one step. The vectors of all texts, one after the other, once there is nothing more to do. */
  async advance(encoder: SentenceEncoder): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { dimensions } = encoder
    this.#vectors ??= new Float32Array(this.#texts.length * dimensions)
    if (this.#cutTexts < this.#texts.length) {
      this.#cutSome(encoder)
      return undefined
    }
    const batch = this.#takeBatch()
    const encoded = await encoder.encode(batch.map((piece) => piece.ids))
    batch.forEach(({ textIndex }, index) => {
      addTo(this.#vectors as Float32Array, textIndex * dimensions, encoded, index * dimensions, dimensions)
    })
    if (this.#pieces.length > 0) return undefined
    normalize(this.#vectors, dimensions)
    return this.#vectors
  }

  #cutSome({ cutter }: SentenceEncoder): void {
    let characters = 0
    while (this.#cutTexts < this.#texts.length && characters < STEP_CHARACTERS) {
      const text = this.#texts[this.#cutTexts] as string
      for (const ids of cutter.cut(text)) this.#pieces.push({ textIndex: this.#cutTexts, ids })
      characters += text.length
      this.#cutTexts += 1
    }
    // pieces of like length waste little on padding
    if (this.#cutTexts === this.#texts.length) this.#pieces.sort((one, other) => one.ids.length - other.ids.length)
  }

  /** At least one piece, the longest that are left. */
  #takeBatch(): Piece[] {
    const width = this.#pieces.at(-1)?.ids.length ?? 1
    return this.#pieces.splice(-Math.max(1, Math.floor(BATCH_TOKENS / width)))
  }
}

function addTo(target: Float32Array, at: number, source: Float32Array, from: number, length: number): void {
  for (let index = 0; index < length; index += 1) {
    target[at + index] = (target[at + index] as number) + (source[from + index] as number)
  }
}

/** The direction of the sum of a text's pieces is that of their mean. */
function normalize(vectors: Float32Array, dimensions: number): void {
  for (let start = 0; start < vectors.length; start += dimensions) {
    let sum = 0
    for (let index = start; index < start + dimensions; index += 1) sum += (vectors[index] as number) ** 2
    const scale = 1 / Math.sqrt(sum)
    for (let index = start; index < start + dimensions; index += 1) vectors[index] = (vectors[index] as number) * scale
  }
}
