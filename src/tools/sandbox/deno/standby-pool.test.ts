import { describe, expect, test } from 'vitest'
import { listChildren, runTool, silentLogger, TEST_LIMITS } from '../../../../test/support/tool-call.ts'
import { openDenoRunner } from './open-deno-runner.ts'

const SCRIPT = 'typescript-runner.mjs'
const options = { logger: silentLogger, maxConcurrent: 4, limits: TEST_LIMITS, allowsPrivateAddresses: false }

describe('processes', () => {
  test('have nothing running before the first, and end with the runner', async () => {
    const own = await openDenoRunner({ ...options, standbys: 3 })
    const call = runTool(own, { sourceCode: 'export const tool = () => new Promise((done) => setTimeout(done, 1e6))' })
    await expect.poll(() => listChildren(SCRIPT).length).toBe(1)
    await own[Symbol.asyncDispose]()
    expect(await call).toMatchObject({ status: 'error', kind: 'cancelled' })
    expect(listChildren(SCRIPT).length).toBe(0)
  })

  test('are served by processes that started before them, until nobody calls any more', async () => {
    await using own = await openDenoRunner({ ...options, standbys: 1, idleMs: 500 })
    await runTool(own, { sourceCode: 'export const tool = () => 1' })
    await expect.poll(() => listChildren(SCRIPT).length).toBe(1)
    const standbys = listChildren(SCRIPT)
    const next = await runTool(own, { sourceCode: 'export const tool = () => Deno.pid' })
    expect(standbys).toContain(Number(next.status === 'success' && next.text))
    await expect.poll(() => listChildren(SCRIPT).length).toBe(0)
  })
})
