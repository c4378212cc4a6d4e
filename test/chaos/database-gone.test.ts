import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { openDatabase } from '#store/open-database.ts'
import { ensurePartitions } from '#store/partitions.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTcpProxy } from '../support/tcp-proxy.ts'
import { createTestAgent, createTestEngine, readBlock, say, storedMessages } from '../support/test-agent.ts'
import { createPostgresDatabase, testEngine } from '../support/test-database.ts'

const GONE_MS = 10_000

// the embedded database lives in this process and cannot go away without it: its kill test is kill.test.ts
it.runIf(testEngine() === 'postgres')(
  'a turn in the middle of which the database is away for 10 s is finished afterwards, and nothing is said twice',
  async () => {
    const database = await createPostgresDatabase()
    const target = new URL(database.url)
    const proxy = await startTcpProxy({ host: target.hostname, port: Number(target.port || 5432) })
    target.port = String(proxy.port)
    const db = await openDatabase({ kind: 'postgres', url: target.href })
    await ensurePartitions(db, new Date())
    let cutConnections = 0
    const { registry, requests } = scriptedModel(({ messages }, index) => {
      // once while the model thinks (the commit of its answer is hit), once before a tool's result is committed
      if (index === 1 || index === 3) {
        cutConnections += proxy.cut()
        void sleep(GONE_MS).then(() => proxy.restore())
      }
      return messages.at(-1)?.role === 'tool'
        ? { text: 'Noted.' }
        : { toolCalls: [{ name: 'memory_insert', arguments: { label: 'human', new_string: `fact ${index}` } }] }
    })
    const agentId = await createTestAgent(db, registry)
    const engine = createTestEngine(db, registry)
    await engine.open()
    expect((await say(engine, agentId, 'one')).end.stopReason).toBe('end_turn')
    const gone = performance.now()
    expect((await say(engine, agentId, 'two')).end.stopReason).toBe('end_turn')
    expect(performance.now() - gone, 'the database was away').toBeGreaterThan(GONE_MS * 0.9)
    expect(cutConnections, 'connections were cut').toBeGreaterThan(0)
    expect((await say(engine, agentId, 'three')).end.stopReason).toBe('end_turn')
    const roles = (await storedMessages(db, agentId)).map((message) => message.role)
    expect(roles).toEqual(['system', ...Array(3).fill(['user', 'assistant', 'tool', 'assistant']).flat()])
    expect((await readBlock(db, agentId, 'human'))?.value.split('\n')).toHaveLength(3)
    // the model was asked once for each step: what it had said was not lost and not paid twice
    expect(requests).toHaveLength(6)
    await engine[Symbol.asyncDispose]()
    await db[Symbol.asyncDispose]()
    await proxy.close()
    await database.remove()
  },
  120_000,
)
