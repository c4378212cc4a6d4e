import { setTimeout as sleep } from 'node:timers/promises'
import { Pool } from 'undici'
import type { Candidate, CandidateOptions } from './candidate.ts'
import { acceptMessage, commitAnswer, commitCall, commitEffect, readContext } from './domain-turn.ts'
import { loadPackage } from './packages.ts'

interface Context {
  key: string
  run<Result>(name: string, work: () => Promise<Result>): Promise<Result>
}
interface RestateModule {
  object(definition: object): object
  serve(options: { services: object[]; port: number }): Promise<number>
}

/**
 * A turn as a call of a Restate virtual object, one object per thread: Restate keeps the order and one call at a time. Its journal
 * is in its own server: an action can have committed in PostgreSQL without the journal knowing, so it must be safe to repeat.
 */
export async function openRestate({ db, model, concurrency, restate }: CandidateOptions): Promise<Candidate> {
  const sdk = loadPackage<RestateModule>('@restatedev/restate-sdk')
  const thread = sdk.object({
    name: 'thread',
    handlers: {
      async turn(context: Context, runId: string): Promise<void> {
        const turn = await context.run('accept', () => acceptMessage(db, runId, context.key))
        const call = await context.run('call', async () => {
          const block = await readContext(db, turn)
          await model()
          return commitCall(db, turn, block)
        })
        await context.run('effect', () => commitEffect(db, turn, call))
        await context.run('answer', async () => {
          await model()
          await commitAnswer(db, turn)
        })
      },
    },
    options: { inactivityTimeout: 600_000, abortTimeout: 600_000 },
  })
  await sdk.serve({ services: [thread], port: restate.servicePort })
  await register(restate.adminUrl, restate.servicePort)
  const ingress = new Pool(restate.ingressUrl, { connections: concurrency, headersTimeout: 120_000 })
  return {
    async turn(agentId, runId) {
      const { statusCode, body } = await ingress.request({
        method: 'POST',
        path: `/thread/${agentId}/turn`,
        headers: { 'content-type': 'application/json', 'idempotency-key': runId },
        body: JSON.stringify(runId),
      })
      const text = await body.text()
      if (statusCode !== 200) throw new Error(`${statusCode}: ${text}`)
    },
    [Symbol.asyncDispose]: () => ingress.destroy(),
  }
}

async function register(adminUrl: string, servicePort: number): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const response = await fetch(`${adminUrl}/deployments`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uri: `http://127.0.0.1:${servicePort}`, force: true }),
      })
      if (response.ok) return
      throw new Error(await response.text())
    } catch (error) {
      if (attempt === 100) throw error
      await sleep(100)
    }
  }
}
