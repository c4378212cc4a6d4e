import { readFile } from 'node:fs/promises'

interface Entry {
  dtype: string
  shape: number[]
  data_offsets: [number, number]
}

/** Tensors by their names, as 32-bit numbers. */
export interface TensorFile {
  /** Throws where the file has no such tensor of this shape. */
  get(name: string, shape: readonly number[]): Float32Array
}

/** The file that a length stands before. A larger one is no header. */
const MAX_HEADER_BYTES = 10 * 1024 * 1024

/** Reads a file of 16-bit or 32-bit tensors in the safetensors format. Throws when it is none. */
export async function readSafetensors(path: string): Promise<TensorFile> {
  const file = await readFile(path)
  const headerBytes = file.length < 8 ? 0 : Number(file.readBigUInt64LE(0))
  if (headerBytes === 0 || headerBytes > Math.min(MAX_HEADER_BYTES, file.length - 8)) {
    throw new Error(`${path} is no safetensors file`)
  }
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<string, Entry>
  return {
    get(name, shape) {
      const entry = header[name]
      if (entry === undefined) throw new Error(`${path} has no tensor ${name}`)
      if (entry.shape.join() !== shape.join()) {
        throw new Error(`${name} in ${path} is ${entry.shape.join('×')}, not ${shape.join('×')}`)
      }
      const [start, end] = entry.data_offsets.map((offset) => 8 + headerBytes + offset) as [number, number]
      // a copy: the numbers may stand at an odd address
      const bytes = new Uint8Array(file.subarray(start, end)).buffer
      if (entry.dtype === 'F32') return new Float32Array(bytes)
      if (entry.dtype === 'F16') return toFloat32(new Uint16Array(bytes))
      throw new Error(`${name} in ${path} has numbers of type ${entry.dtype}; F16 and F32 can be read`)
    },
  }
}

let halfValues: Float32Array | undefined

function toFloat32(halves: Uint16Array): Float32Array {
  halfValues ??= Float32Array.from({ length: 65_536 }, (_, bits) => halfToNumber(bits))
  const numbers = new Float32Array(halves.length)
  for (let index = 0; index < halves.length; index += 1) numbers[index] = halfValues[halves[index] as number] as number
  return numbers
}

/** IEEE 754 binary16: a sign, five bits of exponent, ten of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}
