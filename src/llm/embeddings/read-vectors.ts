/**
 * Vectors of unit length from what a provider wrote: lists of numbers, or base64 of 32-bit numbers. Throws an Error that says what is wrong with
 * them.
 */
export function readVectors(
  written: readonly unknown[],
  count: number,
  dimensions: number | undefined,
): Float32Array[] {
  if (written.length !== count) throw new Error(`it sent ${written.length} vectors for ${count} texts`)
  const vectors = written.map(toVector)
  const length = dimensions ?? vectors[0]?.length ?? 0
  const other = vectors.find((vector) => vector.length !== length)
  if (other !== undefined) throw new Error(`it sent vectors of ${other.length} numbers instead of ${length}`)
  for (const vector of vectors) normalize(vector)
  return vectors
}

function toVector(written: unknown): Float32Array {
  if (typeof written === 'string') {
    const bytes = Buffer.from(written, 'base64')
    if (bytes.length === 0 || bytes.length % 4 !== 0) throw new Error('it sent a vector that cannot be read')
    // a copy: a piece of Node's pool may begin at an odd address
    return new Float32Array(Uint8Array.from(bytes).buffer)
  }
  if (!Array.isArray(written) || written.length === 0) throw new Error('it sent no vector for a text')
  if (!written.every((value) => typeof value === 'number')) throw new Error('it sent a vector with what is no number')
  return Float32Array.from(written)
}

function normalize(vector: Float32Array): void {
  let sum = 0
  for (const value of vector) sum += value * value
  if (!Number.isFinite(sum)) throw new Error('it sent a vector with what is no number')
  if (sum === 0) throw new Error('it sent a vector of zeros')
  const scale = 1 / Math.sqrt(sum)
  for (let index = 0; index < vector.length; index += 1) vector[index] = (vector[index] as number) * scale
}
