import { expect, test } from 'vitest'
import { silentLogger, TEST_LIMITS } from '../../../../test/support/tool-call.ts'
import { findDenoBinary } from './deno-binary.ts'
import { buildDenoLaunch } from './deno-launch.ts'
import { type DenoLanguage, DenoRunner, measureBaseline } from './deno-runner.ts'
import { testSandbox } from './self-test.ts'
import { StandbyPool } from './standby-pool.ts'

const options = {
  logger: silentLogger,
  maxConcurrent: 1,
  standbys: 0,
  limits: TEST_LIMITS,
  allowsPrivateAddresses: false,
}
const language: DenoLanguage = {
  level: 'deno',
  language: 'typescript',
  script: './typescript-runner.mjs',
  scriptArgs: [],
  readable: [],
  startCpuSeconds: 0,
  prepare: async ({ sourceCode }) => ({ source: sourceCode }),
}

test('a sandbox that lets files be read is found out', async () => {
  const leaky = { ...language, readable: ['/etc'] }
  await using runner = new DenoRunner(findDenoBinary(), leaky, options, null)
  await expect(testSandbox(runner, TEST_LIMITS)).rejects.toThrow('does not hold (these succeeded: ["read files"])')
})

test('one that holds is not refused', async () => {
  const binary = findDenoBinary()
  await using runner = new DenoRunner(binary, language, options, await measureBaseline(binary, language, options))
  await expect(testSandbox(runner, TEST_LIMITS)).resolves.toBeUndefined()
})

test.each([
  ['/bin/false', 'Deno does not start (exit 1)'],
  ['/no/such/deno', 'Deno does not start (exit 127)'],
])('%s is no Deno', async (binary, message) => {
  await expect(measureBaseline(binary, language, options)).rejects.toThrow(message)
})

test('limits that cannot be set are no reason to go without', async () => {
  await using pool = new StandbyPool({ size: 0, idleMs: 1000 })
  const limits = { cpuSeconds: Number.NaN, memoryBytes: 1 }
  const launch = buildDenoLaunch({ ...language, binary: findDenoBinary(), packages: null, baselineBytes: null, limits })
  await expect(pool.take(launch)).rejects.toThrow(/limits of the sandbox cannot be set|does not start/)
})
