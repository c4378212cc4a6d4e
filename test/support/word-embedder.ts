import { createHash } from 'node:crypto'
import type { EmbedderRegistry } from '#llm/embeddings/create-embedder-registry.ts'
import { EmbeddingError } from '#llm/embeddings/embedder.ts'

/** Words that mean the same to a `wordEmbedder`, so that a test can ask for one and find the other. */
const SYNONYMS: Record<string, string> = { feline: 'cat', automobile: 'car', physician: 'doctor' }

export interface WordEmbedder extends EmbedderRegistry {
  /** Texts that it was given, in calls. */
  readonly calls: string[][]
  /** Fails every call while set. */
  failure: EmbeddingError | undefined
  /** Texts with this in them are refused, and whatever is in one call with them. */
  refused: string | undefined
  /** The same, as a fault of the embedder. */
  broken: string | undefined
  /** Waits before it answers, while set. */
  gate: Promise<unknown> | undefined
  defaultHandle: string | undefined
}

/**
 * An embedder that knows words and a few synonyms: a text is the sum of its words' directions. Any handle is a model of its own; its directions have nothing to do
 * with those of another one, and `test/words-768` has 768 dimensions.
 */
export function wordEmbedder(defaultHandle: string | undefined = 'test/words-384'): WordEmbedder {
  const registry: WordEmbedder = {
    calls: [],
    failure: undefined,
    refused: undefined,
    broken: undefined,
    gate: undefined,
    defaultHandle,
    async getEmbedder(handle) {
      const dimensions = Number(handle.split('-').at(-1))
      return {
        handle,
        dimensions,
        maxCharacters: 4_000,
        async embed(texts, signal) {
          registry.calls.push([...texts])
          await registry.gate
          signal?.throwIfAborted()
          if (registry.failure !== undefined) throw registry.failure
          const { refused, broken } = registry
          if (broken !== undefined && texts.some((text) => text.includes(broken))) {
            throw new EmbeddingError('failed', 'status 500')
          }
          if (refused !== undefined && texts.some((text) => text.includes(refused))) {
            throw new EmbeddingError('refused', `the text has ${refused} in it`)
          }
          return texts.map((text) => embedWords(handle, text, dimensions))
        },
        [Symbol.asyncDispose]: async () => {},
      }
    },
    [Symbol.asyncDispose]: async () => {},
  }
  return registry
}

function embedWords(handle: string, text: string, dimensions: number): Float32Array {
  const sum = new Float32Array(dimensions)
  for (const word of text.toLowerCase().match(/\w+/g) ?? ['']) {
    const direction = directionOf(handle, SYNONYMS[word] ?? word, dimensions)
    for (let index = 0; index < dimensions; index += 1) sum[index] = (sum[index] ?? 0) + (direction[index] ?? 0)
  }
  const length = Math.hypot(...sum)
  return sum.map((value) => value / length)
}

/** So many numbers that two words have next to nothing in common. */
function directionOf(handle: string, word: string, dimensions: number): number[] {
  const direction: number[] = []
  for (let part = 0; direction.length < dimensions; part += 1) {
    const digest = createHash('sha512').update(`${handle} ${word} ${part}`).digest()
    direction.push(...Array.from(digest, (byte) => byte / 127.5 - 1))
  }
  return direction
}
