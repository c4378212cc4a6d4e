import { readZip } from './read-zip.ts'
import { UnreadableFile } from './unreadable-file.ts'

/** How the old Office formats begin, and the new ones where they have a password. */
const COMPOUND_FILE = [0xd0, 0xcf, 0x11, 0xe0]
const ZIP = [0x50, 0x4b]
const startsWith = (bytes: Uint8Array, start: readonly number[]): boolean =>
  start.every((byte, index) => bytes[index] === byte)

/**
 * The parts of a Word, PowerPoint or Excel file that are XML, by their names; pictures and whatever else is in it are left out. Throws
 * UnreadableFile: broken, encrypted, with macros, or with XML that defines entities, which is how XML is made to explode.
 * @param main the part that says what it is, such as `word/document.xml`
 */
export function readOffice(bytes: Uint8Array, main: string): Map<string, Uint8Array> {
  if (startsWith(bytes, COMPOUND_FILE)) {
    throw new UnreadableFile(
      'The file has a password, or the format of Office before 2007. Save it without a password in the format of today and upload that.',
    )
  }
  if (!startsWith(bytes, ZIP)) throw new UnreadableFile('The file is not what its name says: it is no Office document.')
  let hasMacros = false
  const parts = readZip(bytes, (name) => {
    if (/(^|\/)vbaProject\.bin$/i.test(name)) hasMacros = true
    return /\.(xml|rels)$/i.test(name)
  })
  if (hasMacros) {
    throw new UnreadableFile('The file is refused because it has macros. Save it without them and upload that.')
  }
  if (!parts.has(main)) throw new UnreadableFile(`The file is not what its name says: it has no ${main}.`)
  for (const [name, part] of parts) {
    if (/<!(DOCTYPE|ENTITY)/i.test(Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString('latin1'))) {
      throw new UnreadableFile(`The file is refused: ${name} defines entities, which no Office document does.`)
    }
  }
  return parts
}
