import { DomainError } from '#platform/errors.ts'

/** Lengths of vectors that there is a column for; `embeddings` in migrations/0018. */
export const VECTOR_DIMENSIONS = [384, 512, 768, 1024, 1536, 2048, 2560, 3072] as const

/** The column for vectors of this length, such as `v384`. Throws unprocessable for a length that has none. */
export function vectorColumn(dimensions: number): string {
  if ((VECTOR_DIMENSIONS as readonly number[]).includes(dimensions)) return `v${dimensions}`
  throw new DomainError(
    'unprocessable',
    `The embedding model gives vectors of ${dimensions} numbers; there are columns for ${VECTOR_DIMENSIONS.join(', ')}. Choose another model.`,
  )
}

/** A vector as the database reads it. Five digits are more than `halfvec` keeps. */
export function vectorText(vector: Float32Array): string {
  let text = '['
  for (let index = 0; index < vector.length; index += 1) {
    if (index > 0) text += ','
    text += (vector[index] as number).toFixed(5)
  }
  return `${text}]`
}
