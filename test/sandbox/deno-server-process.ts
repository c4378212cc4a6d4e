import { setTimeout as sleep } from 'node:timers/promises'
import { openDenoRunner } from '../../src/tools/sandbox/deno/open-deno-runner.ts'
import { listChildren, runTool, silentLogger, TEST_LIMITS } from '../support/tool-call.ts'

/** A server with a call that sleeps, one that spins and one that stands by: prints the ids of their processes, and waits to be killed. */
const runner = await openDenoRunner({
  logger: silentLogger,
  maxConcurrent: 4,
  standbys: 1,
  limits: TEST_LIMITS,
  allowsPrivateAddresses: false,
})
void runTool(runner, { sourceCode: 'export const tool = () => new Promise((done) => setTimeout(done, 1e6))' })
void runTool(runner, { sourceCode: 'export const tool = () => { for (;;); }' })
await runTool(runner, { sourceCode: 'export const tool = () => 1' })
while (listChildren('typescript-runner.mjs').length < 3) await sleep(20)
console.log(JSON.stringify(listChildren('typescript-runner.mjs')))
await sleep(60_000)
