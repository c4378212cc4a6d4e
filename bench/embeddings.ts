import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Embedder } from '#llm/embeddings/embedder.ts'
import { openLocalEmbedder } from '#llm/embeddings/open-local-embedder.ts'
import { createLogger } from '#platform/logger.ts'
import { percentile } from './load.ts'
import { concludeReport, ms, note, report } from './replicas/report.ts'

/**
 * The local embedding model: how fast it is, what it costs, and whether the server's own thread stays free. `node bench/embeddings.ts`, or a part of
 * another bench. Figures of one run on one machine, which other work slows down.
 */
const MEASURE_MS = 5_000
const MAX_DELAY_P99_MS = 20
const MIB = 1024 * 1024

const SHORT = 'Lena likes tea more than coffee, and she is allergic to peanuts.'
/** About 230 tokens. */
const LONG = `${'The committee discussed the agenda, took the minutes of the last session as read and went on to other business. '.repeat(10)}`

/** Texts that are no copies of each other. */
const textsOf = (text: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index} ${text}`)

export async function measureEmbeddings(): Promise<void> {
  const cacheDir = await mkdtemp(join(tmpdir(), 'perdure-bench-embeddings-'))
  const logger = createLogger({ level: 'warn', format: 'json' })
  const rssBefore = process.memoryUsage.rss()
  try {
    await measureFirst(cacheDir, 'made of the weights')
    await using embedder = openLocalEmbedder({ cacheDir, logger })
    await measureFirst(cacheDir, 'from the cache')
    await embedder.embed([SHORT])
    const delay = monitorEventLoopDelay({ resolution: 1 })
    delay.enable()
    for (const [name, text] of [
      ['short texts', SHORT],
      ['texts of 230 tokens', LONG],
    ] as const) {
      for (const batch of [1, 32]) {
        note(
          `embeddings: ${name}, ${batch} in a call: ${(await measureThroughput(embedder, textsOf(text, batch))).toFixed(0)} texts/s`,
        )
      }
    }
    delay.disable()
    await measureQuestion(embedder)
    note(`embeddings: memory of the process grew by ${((process.memoryUsage.rss() - rssBefore) / MIB).toFixed(0)} MiB`)
    const p99Ms = delay.percentile(99) / 1e6
    report(
      'embeddings: event-loop delay while it works, p99',
      `${ms(p99Ms)}, largest ${ms(delay.max / 1e6)}`,
      `≤ ${MAX_DELAY_P99_MS} ms`,
      p99Ms <= MAX_DELAY_P99_MS,
    )
  } finally {
    await rm(cacheDir, { recursive: true })
  }
}

async function measureFirst(cacheDir: string, how: string): Promise<void> {
  await using embedder = openLocalEmbedder({ cacheDir, logger: createLogger({ level: 'warn', format: 'json' }) })
  const startedAt = performance.now()
  await embedder.embed([SHORT])
  note(`embeddings: first vector, model ${how}: ${(performance.now() - startedAt).toFixed(0)} ms`)
}

/** Texts per second, one call after the other. */
async function measureThroughput(embedder: Embedder, texts: readonly string[]): Promise<number> {
  const startedAt = performance.now()
  let count = 0
  while (performance.now() - startedAt < MEASURE_MS) {
    await embedder.embed(texts)
    count += texts.length
  }
  return (count * 1_000) / (performance.now() - startedAt)
}

/** What a search waits for its question's vector while a job in the background has the model. */
async function measureQuestion(embedder: Embedder): Promise<void> {
  const controller = new AbortController()
  const background = embedder.embed(textsOf(LONG, 300), controller.signal).catch(() => undefined)
  // until all its texts are cut into tokens, which takes short steps
  await sleep(2_000)
  const times: number[] = []
  for (let index = 0; index < 50; index += 1) {
    const startedAt = performance.now()
    await embedder.embed([`${index} What does Lena drink?`])
    times.push(performance.now() - startedAt)
  }
  controller.abort()
  await background
  note(
    `embeddings: a question while a job works: p50 ${percentile(times, 0.5).toFixed(0)} ms, p95 ${percentile(times, 0.95).toFixed(0)} ms`,
  )
}

if (import.meta.main) {
  await measureEmbeddings()
  process.exitCode = concludeReport()
}
