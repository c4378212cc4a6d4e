import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildBertModel } from './build-bert-model.ts'
import { findMiniLm } from './find-minilm.ts'
import { readSafetensors } from './read-safetensors.ts'
import { MODEL_FORMAT, openSentenceEncoder, type SentenceEncoder } from './sentence-encoder.ts'

/** With its similarities, from the documentation of sentence-transformers (https://sbert.net, "Quickstart"). */
const QUICKSTART = ['The weather is lovely today.', "It's so sunny outside!", 'He drove to the stadium.']
const QUICKSTART_COSINES = [0.666, 0.1046, 0.1411]

const SENTENCES = [
  ...QUICKSTART,
  'My daughter is allergic to peanuts.',
  'Deploy the service on Friday evening, after the backup has ended.',
  'Übermorgen fahren wir nach München.',
  'const total = items.reduce((sum, item) => sum + item.price, 0)',
  'La réunion est reportée à jeudi.',
  'ok',
  'The quarterly report shows that revenue grew by 12% while costs stayed flat, which the board found reassuring.',
  '東京は日本の首都です。',
  'She adopted a grey cat named Miso last spring.',
]

let folder: string
let int8: SentenceEncoder
let float32: SentenceEncoder
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-encoder-'))
  int8 = await openSentenceEncoder({ cacheDir: folder })
  float32 = await openSentenceEncoder({ cacheDir: undefined, precision: 'float32' })
}, 60_000)
afterAll(async () => {
  await int8[Symbol.asyncDispose]()
  await float32[Symbol.asyncDispose]()
  await rm(folder, { recursive: true })
})

async function encode(encoder: SentenceEncoder, texts: readonly string[]): Promise<Float32Array[]> {
  const vectors = await encoder.encode(texts.map((text) => encoder.cutter.cut(text)[0] as Int32Array))
  return texts.map((_, index) => vectors.slice(index * 384, (index + 1) * 384))
}

const cosine = (one: Float32Array = new Float32Array(), other: Float32Array = new Float32Array()): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0)

const pairs = ([first, second, third]: Float32Array[]): number[] => [
  cosine(first, second),
  cosine(first, third),
  cosine(second, third),
]

describe('the vectors', () => {
  test('are those of all-MiniLM-L6-v2', async () => {
    const cosines = pairs(await encode(float32, QUICKSTART))
    cosines.forEach((value, index) => {
      expect(value).toBeCloseTo(QUICKSTART_COSINES[index] as number, 3)
    })
  })

  test('in whole numbers are nearly the same', async () => {
    const quantized = await encode(int8, SENTENCES)
    const exact = await encode(float32, SENTENCES)
    const cosines = exact.map((vector, index) => cosine(vector, quantized[index]))
    expect(cosines.reduce((sum, value) => sum + value) / cosines.length).toBeGreaterThan(0.99)
    expect(Math.min(...cosines)).toBeGreaterThan(0.98)
    pairs(quantized).forEach((value, index) => {
      expect(Math.abs(value - (QUICKSTART_COSINES[index] as number))).toBeLessThan(0.03)
    })
  })

  test('do not depend on what else is in the batch', async () => {
    const together = await encode(int8, SENTENCES)
    for (const [index, text] of SENTENCES.entries()) {
      const [alone] = await encode(int8, [text])
      expect(cosine(alone, together[index]), text).toBeGreaterThan(0.9999)
    }
  })

  test('are of unit length', async () => {
    for (const vector of await encode(int8, ['', 'a', ...SENTENCES])) expect(cosine(vector, vector)).toBeCloseTo(1, 5)
  })
})

describe('the file in the cache', () => {
  test('is one, complete, and readable for its owner alone', async () => {
    const names = await readdir(folder)
    expect(names).toEqual([`all-MiniLM-L6-v2-0.1.0-int8-${MODEL_FORMAT}.onnx`])
    const { size, mode } = await stat(join(folder, names[0] as string))
    expect(size).toBe(23_469_227)
    expect(mode & 0o077).toBe(0)
  })

  test('changes only together with MODEL_FORMAT, of which servers know that theirs is old', async () => {
    const { weightsPath, shape } = await findMiniLm()
    const bytes = buildBertModel(await readSafetensors(weightsPath), shape, 'int8')
    const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 16)
    expect({ MODEL_FORMAT, digest }).toEqual({ MODEL_FORMAT: 1, digest: 'c636c7304717e8e6' })
    expect(await readFile(join(folder, `all-MiniLM-L6-v2-0.1.0-int8-${MODEL_FORMAT}.onnx`))).toEqual(Buffer.from(bytes))
  })

  test('is made anew when it is damaged', async () => {
    const own = await mkdtemp(join(tmpdir(), 'perdure-encoder-'))
    const path = join(own, `all-MiniLM-L6-v2-0.1.0-int8-${MODEL_FORMAT}.onnx`)
    await writeFile(path, 'half of a mod')
    const warnings: string[] = []
    const encoder = await openSentenceEncoder({ cacheDir: own, onWarning: (message) => warnings.push(message) })
    const [vector] = await encode(encoder, ['ok'])
    await encoder[Symbol.asyncDispose]()
    expect(cosine(vector, vector)).toBeCloseTo(1, 5)
    expect(warnings).toEqual([`${path} is damaged, and is made anew`])
    expect((await stat(path)).size).toBe(23_469_227)
    await rm(own, { recursive: true })
  })

  test('is done without where there is no folder to write to', async () => {
    const notAFolder = join(folder, 'file')
    await writeFile(notAFolder, '')
    const warnings: string[] = []
    const encoder = await openSentenceEncoder({
      cacheDir: join(notAFolder, 'cache'),
      onWarning: (message) => warnings.push(message),
    })
    const [vector] = await encode(encoder, ['ok'])
    await encoder[Symbol.asyncDispose]()
    await rm(notAFolder)
    expect(cosine(vector, vector)).toBeCloseTo(1, 5)
    expect(warnings.join()).toMatch(/cannot be kept in .*file\/cache \(ENOTDIR.*made anew at each start/)
  })
})

test('a file that is no safetensors file is said to be none', async () => {
  const path = join(folder, 'weights')
  await writeFile(path, 'x'.repeat(100))
  await expect(readSafetensors(path)).rejects.toThrow(`${path} is no safetensors file`)
  await rm(path)
})
