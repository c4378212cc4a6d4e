import { readFile } from 'node:fs/promises'
import { Tokenizer } from '@huggingface/tokenizers'
import { MAX_CHARACTERS } from './local-embedding.ts'

/** Tokens that the model was trained with at most, the two at the ends included: https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2 */
const MAX_TOKENS = 256
/** Of a longer text, more pieces are not read. */
const MAX_PIECES = 4

export interface TextCutter {
  /** The token ids of a text in pieces of the same length, one to four; what is longer than `MAX_CHARACTERS` is cut off. */
  cut(text: string): Int32Array[]
}

/** @param path of a `tokenizer.json` */
export async function openTextCutter(path: string): Promise<TextCutter> {
  const tokenizer = new Tokenizer(JSON.parse(await readFile(path, 'utf8')), {})
  const [first, last] = tokenizer.encode('').ids
  if (first === undefined || last === undefined) throw new Error(`${path} has no marks for the ends of a text`)
  const room = MAX_TOKENS - 2
  return {
    cut(text) {
      const { ids } = tokenizer.encode(text.slice(0, MAX_CHARACTERS), { add_special_tokens: false })
      const count = Math.min(Math.max(Math.ceil(ids.length / room), 1), MAX_PIECES)
      const size = Math.min(Math.ceil(ids.length / count), room)
      return Array.from({ length: count }, (_, index) =>
        Int32Array.of(first, ...ids.slice(index * size, (index + 1) * size), last),
      )
    },
  }
}
