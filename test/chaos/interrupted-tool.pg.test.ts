import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { BUILTIN_TOOLS, findBuiltinTool } from '#tools/registry.ts'
import { type BuiltinTool, success, type ToolDurability } from '#tools/tool.ts'
import { faultyDb } from '../support/faulty-db.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { createTestAgent, storedMessages } from '../support/test-agent.ts'
import { testEngine } from '../support/test-database.ts'
import { openEngines, startRun } from '../support/two-engines.ts'

/** A tool with an effect that is not in our database, and a process that dies after the effect and before the result. */
describe.skipIf(testEngine() === 'pglite')('a crash while a tool runs whose effect is elsewhere', () => {
  let engines: Awaited<ReturnType<typeof openEngines>>
  beforeEach(async () => {
    engines = await openEngines()
  })
  afterEach(async () => expect(await engines.close()).toEqual([]))

  async function crash(durability: ToolDurability) {
    /** The call ids that the tool was executed with. */
    const effects: string[] = []
    let isDead = false
    const tool: BuiltinTool = {
      name: 'send_letter',
      description: 'Sends a letter.',
      toolType: 'letta_core',
      parameters: { type: 'object', properties: {} },
      durability,
      async execute(_args, { callId }) {
        effects.push(callId)
        if (effects.length === 1) {
          // from now on nothing of this process reaches the database
          isDead = true
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
        return success('Sent.')
      },
    }
    const { registry: models } = scriptedModel(({ messages }) =>
      messages.at(-1)?.role === 'tool' ? { text: 'I see.' } : { toolCalls: [{ name: tool.name, arguments: {} }] },
    )
    const findTool = (name: string) => (name === tool.name ? tool : findBuiltinTool(name))
    const statements: string[] = []
    const frozen = Promise.withResolvers<{ kind: 'none' }>()
    const dying = faultyDb(engines.db, ({ name }) => {
      statements.push(name)
      return isDead ? frozen.promise : { kind: 'none' }
    })
    const options = { models, findTool, leaseMs: 1200 }
    const a = await engines.start('a', { ...options, db: dying })
    await ensureBuiltinTools(engines.db, DEFAULT_ORGANIZATION_ID, [...BUILTIN_TOOLS, tool])
    const agentId = await createTestAgent(engines.db, models, { tools: [tool.name] })
    await startRun(a, agentId, 'go')
    await expect.poll(() => isDead, { timeout: 5000 }).toBe(true)
    await engines.start('b', options)
    const roles = async () => (await storedMessages(engines.db, agentId)).slice(1).map((message) => message.role)
    await expect.poll(roles, { timeout: 10_000 }).toEqual(['user', 'assistant', 'tool', 'assistant'])
    frozen.resolve({ kind: 'none' })
    const stored = await storedMessages(engines.db, agentId)
    const [result] = stored.flatMap((message) => message.tool_returns ?? [])
    return { effects, result, starts: statements.filter((name) => name === 'start-tool-call').length }
  }

  it('is not run again if it must not be, and the model is told', async () => {
    const { effects, result, starts } = await crash('external')
    expect(effects).toHaveLength(1)
    expect(starts).toBe(1)
    expect(result).toMatchObject({ status: 'error', text: expect.stringContaining('may or may not have taken effect') })
  })

  it('is run again, with the same key, if it may be; that costs no statement', async () => {
    const { effects, result, starts } = await crash('idempotent')
    expect(effects).toHaveLength(2)
    expect(new Set(effects).size).toBe(1)
    expect(starts).toBe(0)
    expect(result).toMatchObject({ status: 'success', text: 'Sent.' })
  })
})
