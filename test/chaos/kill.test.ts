import { setTimeout as sleep } from 'node:timers/promises'
import { Letta } from '@letta-ai/letta-client'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type KillableServer, prepareKillableServer } from '../support/killable-server.ts'
import { seededRandom } from '../support/seeded-random.ts'
import type { ServerProcess } from '../support/server-process.ts'

/** Kills at least; CHAOS_ROUNDS for a quick look. */
const ROUNDS = Number(process.env.CHAOS_ROUNDS ?? 100)
/** Longest pause of the provider before each of its two replies of a turn. */
const PROVIDER_DELAY_MS = 60
/** The kill comes between 0 and this after the message was accepted: before, in the middle of, and just after the turn. */
const KILL_WITHIN_MS = 200
/** Of the kills, at least this share must have met an unfinished run, else the test proves nothing. */
const MIN_SHARE_INTERRUPTED = 0.3

const seed = Number(process.env.CHAOS_SEED ?? Date.now() % 1_000_000)
const random = seededRandom(seed)

let killable: KillableServer
beforeAll(async () => {
  killable = await prepareKillableServer('parallel-tools', PROVIDER_DELAY_MS)
})
afterAll(() => killable.remove())

interface Message {
  message_type?: string
  content?: unknown
  run_id?: string | null
}

it(
  `survives kill -9 at ${ROUNDS} random moments of a turn with three parallel tool calls (seed ${seed})`,
  async () => {
    let server: ServerProcess = await killable.start()
    const client = new Letta({ baseURL: server.url, apiKey: 'none', maxRetries: 0 })
    const agent = await client.agents.create({
      model: 'openai/gpt-4o-mini',
      memory_blocks: [{ label: 'human', value: '', limit: 100_000 }],
      tools: ['memory_insert', 'conversation_search'],
      include_base_tools: false,
    })
    const accepted: string[] = []
    let takenOver = 0

    for (let round = 0; round < ROUNDS; round += 1) {
      const text = `r${round}`
      const sending = client.agents.messages
        .createAsync(agent.id, { messages: [{ role: 'user', content: text }] })
        .then(
          () => accepted.push(text),
          () => undefined,
        )
      // now and then before the answer is there, so that acceptance itself is hit too
      if (random() < 0.8) await sending
      await sleep(random() * KILL_WITHIN_MS)
      await server.kill()
      await sending
      server = await killable.start()
      const hello = `h${round}`
      const answer = await client.agents.messages.create(agent.id, { messages: [{ role: 'user', content: hello }] })
      accepted.push(hello)
      expect(answer.stop_reason.stop_reason).toBe('end_turn')
      expect(JSON.stringify(answer.messages.at(-1))).toContain(`answer:${hello}`)
      takenOver += server.log.filter((line) => line.message === 'run taken over').length
    }

    const stored = await allMessages(client, agent.id)
    const { value } = await client.agents.blocks.retrieve('human', { agent_id: agent.id })
    for (const text of accepted) {
      const said = stored.filter((message) => message.message_type === 'user_message' && message.content === text)
      expect(said, `"${text}" was accepted and must stand once`).toHaveLength(1)
      const answers = stored.filter(
        (message) => message.message_type === 'assistant_message' && message.content === `answer:${text}`,
      )
      expect(answers, `"${text}" must be answered once`).toHaveLength(1)
      for (const fact of [`fact-a:${text}`, `fact-b:${text}`]) {
        expect(
          value.split('\n').filter((line) => line === fact),
          `${fact} must be remembered once`,
        ).toHaveLength(1)
      }
    }
    expectNoInterleaving(stored)
    const seen = await killable.provider.violations()
    expect(seen.violations).toEqual([])
    expect(takenOver, 'kills that met an unfinished run').toBeGreaterThanOrEqual(ROUNDS * MIN_SHARE_INTERRUPTED)
    console.log(`chaos: seed ${seed}, ${ROUNDS} kills, ${takenOver} runs taken over, ${seen.requests} valid requests`)
    await server.stop()
  },
  // six minutes on a quiet machine; other tests run beside it
  40 * 60_000,
)

async function allMessages(client: Letta, agentId: string): Promise<Message[]> {
  const all: Message[] = []
  let after: string | undefined
  for (;;) {
    const page = await client.agents.messages.list(agentId, { order: 'asc', limit: 500, ...(after ? { after } : {}) })
    if (page.items.length === 0) return all
    all.push(...(page.items as Message[]))
    after = page.items.at(-1)?.id
  }
}

/** All messages of a run stand together. */
function expectNoInterleaving(messages: readonly Message[]): void {
  const seen = new Set<string>()
  let current: string | null | undefined
  for (const { run_id } of messages) {
    if (run_id === current) continue
    expect(seen.has(run_id ?? ''), `run ${run_id} is interleaved with another`).toBe(false)
    seen.add(run_id ?? '')
    current = run_id
  }
}
