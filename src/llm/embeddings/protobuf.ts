/** A piece of a protobuf message: its bytes in parts, so that megabytes of weights are copied once, at the end. */
export interface Encoded {
  readonly parts: readonly Uint8Array[]
  readonly sizeBytes: number
}

const LENGTH_DELIMITED = 2
const FIXED_32 = 5

const text = new TextEncoder()

/** A message of the fields, in their order. */
export function message(...fields: readonly Encoded[]): Encoded {
  return {
    parts: fields.flatMap((field) => field.parts),
    sizeBytes: fields.reduce((sum, field) => sum + field.sizeBytes, 0),
  }
}

/** @param value a whole number from 0 on */
export function intField(field: number, value: number): Encoded {
  return ofBytes(Uint8Array.from([...varint(field * 8), ...varint(value)]))
}

export function floatField(field: number, value: number): Encoded {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return ofBytes(Uint8Array.from([...varint(field * 8 + FIXED_32), ...bytes]))
}

/** A text, bytes or a message within a message. */
export function field(number: number, value: string | Uint8Array | Encoded): Encoded {
  const content = toEncoded(value)
  const head = Uint8Array.from([...varint(number * 8 + LENGTH_DELIMITED), ...varint(content.sizeBytes)])
  return { parts: [head, ...content.parts], sizeBytes: head.length + content.sizeBytes }
}

export function toBytes({ parts, sizeBytes }: Encoded): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(sizeBytes)
  let offset = 0
  for (const part of parts) {
    bytes.set(part, offset)
    offset += part.length
  }
  return bytes
}

function toEncoded(value: string | Uint8Array | Encoded): Encoded {
  if (typeof value === 'string') return ofBytes(text.encode(value))
  return value instanceof Uint8Array ? ofBytes(value) : value
}

const ofBytes = (bytes: Uint8Array): Encoded => ({ parts: [bytes], sizeBytes: bytes.length })

/** Seven bits a byte, the lowest first. */
function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}
