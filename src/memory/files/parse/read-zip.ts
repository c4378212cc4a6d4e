import { crc32, inflateRawSync } from 'node:zlib'
import { UnreadableFile } from './unreadable-file.ts'

/** Of all entries together, unpacked. Documents of 50 MB with pictures, which are not unpacked, stay far below. */
const MAX_UNPACKED_BYTES = 200 * 1024 * 1024
const MAX_ENTRIES = 20_000
/** What no document is packed to: deflate can do 1 : 1 032, text gets to about 1 : 30, sheets of equal rows to about 1 : 150. */
const MAX_RATIO = 400
/** Below this nothing can be a bomb, whatever its ratio. */
const MIN_BOMB_BYTES = 10 * 1024 * 1024

const END_SIGNATURE = 0x06054b50
const END_BYTES = 22
const MAX_COMMENT_BYTES = 65_535
const ENTRY_SIGNATURE = 0x02014b50
const LOCAL_SIGNATURE = 0x04034b50
const ENCRYPTED_FLAG = 1

interface Entry {
  name: string
  flags: number
  method: number
  checksum: number
  packedBytes: number
  unpackedBytes: number
  localOffset: number
}

const broken = (what: string): UnreadableFile =>
  new UnreadableFile(`The file is broken: ${what}. Open it in the program that made it, save it again and upload that.`)

/**
 * Unpacks those entries of a zip file that are wanted, in memory; nothing is written. What the file says of its sizes is not believed:
 * unpacking stops where an entry gets larger than it said, or all together too large. Throws UnreadableFile.
 */
export function readZip(bytes: Uint8Array, isWanted: (name: string) => boolean): Map<string, Uint8Array> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  try {
    return unpack(file, isWanted)
  } catch (error) {
    if (error instanceof UnreadableFile) throw error
    // an offset that leads out of the file
    if (error instanceof RangeError) throw broken('its table of contents leads out of it')
    throw error
  }
}

function unpack(file: Buffer, isWanted: (name: string) => boolean): Map<string, Uint8Array> {
  const entries = listEntries(file)
  const wanted = entries.filter((entry) => isWanted(entry.name))
  checkSizes(wanted)
  const unpacked = new Map<string, Uint8Array>()
  for (const entry of wanted) {
    if (unpacked.has(entry.name)) throw broken(`it has two parts named ${entry.name}`)
    unpacked.set(entry.name, unpackEntry(file, entry))
  }
  return unpacked
}

function listEntries(file: Buffer): Entry[] {
  const end = findEnd(file)
  const count = file.readUInt16LE(end + 10)
  let at = file.readUInt32LE(end + 16)
  if (count === 0xffff || at === 0xffffffff) throw broken('it has the form of archives above 4 GB (zip64)')
  if (count > MAX_ENTRIES) throw new UnreadableFile(`The file has ${count} parts, more than ${MAX_ENTRIES}.`)
  const entries: Entry[] = []
  for (let index = 0; index < count; index += 1) {
    if (file.readUInt32LE(at) !== ENTRY_SIGNATURE) throw broken('its table of contents cannot be read')
    const nameBytes = file.readUInt16LE(at + 28)
    const name = file.toString('utf8', at + 46, at + 46 + nameBytes)
    checkName(name)
    entries.push({
      name,
      flags: file.readUInt16LE(at + 8),
      method: file.readUInt16LE(at + 10),
      checksum: file.readUInt32LE(at + 16),
      packedBytes: file.readUInt32LE(at + 20),
      unpackedBytes: file.readUInt32LE(at + 24),
      localOffset: file.readUInt32LE(at + 42),
    })
    at += 46 + nameBytes + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32)
  }
  return entries
}

function findEnd(file: Buffer): number {
  const first = Math.max(file.length - END_BYTES - MAX_COMMENT_BYTES, 0)
  for (let at = file.length - END_BYTES; at >= first; at -= 1) {
    if (file.readUInt32LE(at) === END_SIGNATURE) return at
  }
  throw broken('it ends too early')
}

/** Nothing is written under these names; whoever has such ones in a document means harm. */
function checkName(name: string): void {
  const isOutside = /^([/\\]|[a-z]:)/i.test(name) || name.split(/[/\\]/).includes('..') || name.includes('\0')
  if (isOutside) {
    throw new UnreadableFile(
      `The file is refused: a part of it is named ${JSON.stringify(name)}, which leads out of it.`,
    )
  }
}

function checkSizes(entries: readonly Entry[]): void {
  const packed = entries.reduce((sum, entry) => sum + entry.packedBytes, 0)
  const unpacked = entries.reduce((sum, entry) => sum + entry.unpackedBytes, 0)
  const isBomb = unpacked > MIN_BOMB_BYTES && unpacked > packed * MAX_RATIO
  if (unpacked <= MAX_UNPACKED_BYTES && !isBomb) return
  throw new UnreadableFile(
    `The file is refused: unpacked it says to have ${Math.ceil(unpacked / 1024 / 1024)} MB, from ${Math.ceil(packed / 1024)} kB. At most ${MAX_UNPACKED_BYTES / 1024 / 1024} MB, and ${MAX_RATIO} times the packed size, are read.`,
  )
}

function unpackEntry(file: Buffer, entry: Entry): Uint8Array {
  const { name, localOffset, packedBytes, unpackedBytes } = entry
  if ((entry.flags & ENCRYPTED_FLAG) !== 0) {
    throw new UnreadableFile('The file is encrypted. Save it without a password and upload that.')
  }
  if (file.readUInt32LE(localOffset) !== LOCAL_SIGNATURE) throw broken(`${name} is not where it should be`)
  const start = localOffset + 30 + file.readUInt16LE(localOffset + 26) + file.readUInt16LE(localOffset + 28)
  if (start + packedBytes > file.length) throw broken(`${name} ends too early`)
  const data = inflate(entry, file.subarray(start, start + packedBytes))
  if (data.length !== unpackedBytes || crc32(data) !== entry.checksum) throw broken(`${name} is damaged`)
  return data
}

function inflate({ name, method, unpackedBytes }: Entry, packed: Buffer): Uint8Array {
  if (method === 0) return packed
  if (method !== 8) throw broken(`${name} is packed in a way that is not known`)
  try {
    // zlib wants room for one byte at least
    return inflateRawSync(packed, { maxOutputLength: Math.max(unpackedBytes, 1) })
  } catch (error) {
    const isLarger = (error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE'
    throw broken(isLarger ? `${name} is larger than the file says` : `${name} is damaged`)
  }
}
