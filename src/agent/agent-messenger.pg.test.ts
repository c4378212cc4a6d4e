import { afterAll, beforeAll, expect, it } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { RunEngine } from '#runs/run-engine.ts'
import type { Db } from '#store/db.ts'
import { type ScriptedReply, scriptedModel } from '../../test/support/scripted-model.ts'
import { createTestAgent, say, storedMessages } from '../../test/support/test-agent.ts'
import { openTestDatabase } from '../../test/support/test-database.ts'
import type { AgentRuns } from './agent-messenger.ts'
import { createRunLoop } from './run-loop.ts'

let db: Db
beforeAll(async () => {
  db = await openTestDatabase()
})
afterAll(() => db[Symbol.asyncDispose]())

it('sends once although the process dies while it waits, and the next one gets the answer', async () => {
  let other = ''
  const { registry, requests } = scriptedModel((request): ScriptedReply => {
    const text = JSON.stringify(request.messages)
    if (text.includes('Incoming message')) return { text: 'Forty-two.', delayMs: requests.length < 3 ? 60_000 : 0 }
    if (request.messages.at(-1)?.role === 'tool') return { text: 'I see.' }
    const args = { message: 'What is it?', other_agent_id: other }
    return { toolCalls: [{ name: 'send_message_to_agent_and_wait_for_reply', arguments: args }] }
  })
  other = await createTestAgent(db, registry)
  const asker = await createTestAgent(db, registry, { include_multi_agent_tools: true })
  const logger = createLogger({ level: 'silent', format: 'json' })
  const newEngine = (owner: string) => {
    const agentRuns: AgentRuns = {}
    const execute = createRunLoop({ db, models: registry, logger, maxContextWindow: 128_000, agentRuns })
    const engine = new RunEngine({ db, logger, owner, execute })
    agentRuns.runs = engine
    return engine
  }
  const dying = newEngine('dying')
  void say(dying, asker, 'Ask.')
  await expect.poll(() => requests.length, { timeout: 10_000 }).toBe(2)
  await dying[Symbol.asyncDispose]()
  const heir = newEngine('heir')
  await heir.open()
  await expect
    .poll(async () => (await storedMessages(db, asker)).at(-1)?.content, { timeout: 10_000 })
    .toEqual([{ type: 'text', text: 'I see.' }])
  await heir[Symbol.asyncDispose]()
  expect((await storedMessages(db, other)).map((message) => message.role)).toEqual(['system', 'system', 'assistant'])
  const result = (await storedMessages(db, asker)).flatMap((message) => message.tool_returns ?? [])
  expect(result).toMatchObject([
    { status: 'success', text: JSON.stringify({ agent_id: other, response: ['Forty-two.'] }) },
  ])
})
