import { Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { splitLines } from '#memory/files/split-lines.ts'
import { type Piece, splitPassages } from '#memory/files/split-passages.ts'
import type { DocumentFormat } from './document-format.ts'
import { readDocument } from './read-document.ts'
import { UnreadableFile } from './unreadable-file.ts'

/** What the process says on its channel, one JSON text a line: texts and pieces in their order, then how it ended. */
export type ParserReply =
  | { text: string }
  | { pieces: Piece[] }
  | { end: { lineCount: number } }
  /** Why the file cannot be read. */
  | { unreadable: string }

/** The file descriptor of the channel: libraries may write what they like to the others. */
export const REPLY_CHANNEL = 3
const TEXT_CHARS_AT_ONCE = 1024 * 1024
const PIECES_AT_ONCE = 500

/** The process in which one file of a stranger is read, with its bytes on standard input: it can be killed whatever the file is. */
async function main(format: DocumentFormat): Promise<void> {
  const channel = new Socket({ fd: REPLY_CHANNEL, readable: false, writable: true })
  const send = (reply: ParserReply) =>
    new Promise<void>((resolve, reject) => {
      channel.write(`${JSON.stringify(reply)}\n`, (error) => (error ? reject(error) : resolve()))
    })
  try {
    const text = await readDocument(await buffer(process.stdin), format)
    for (let at = 0; at < text.length; at += TEXT_CHARS_AT_ONCE) {
      // JSON keeps halves of surrogate pairs, which meet again
      await send({ text: text.slice(at, at + TEXT_CHARS_AT_ONCE) })
    }
    const pieces = splitPassages(text)
    for (let at = 0; at < pieces.length; at += PIECES_AT_ONCE) {
      await send({ pieces: pieces.slice(at, at + PIECES_AT_ONCE) })
    }
    await send({ end: { lineCount: splitLines(text).length } })
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    await send({ unreadable: error.message })
  }
  channel.end()
}

for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const) console[method] = () => undefined
const [format] = process.argv.slice(2)
await main(format as DocumentFormat)
// timers of libraries do not hold it up
process.exit(0)
