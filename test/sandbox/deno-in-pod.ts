import { openDenoRunner } from '../../src/tools/sandbox/deno/open-deno-runner.ts'
import { openPyodideRunner } from '../../src/tools/sandbox/deno/open-pyodide-runner.ts'
import { runTool, silentLogger, TEST_LIMITS } from '../support/tool-call.ts'
import { attack, attacksFor } from './hostile-python.ts'
import { HOSTILE_TYPESCRIPT } from './hostile-typescript.ts'
import { prepareTargets } from './prepare-targets.ts'

/**
 * Runs in a locked-down pod: opens both runners, lets the attacks loose, and prints what became of each as JSON. Arguments: the one file of the
 * server, and the folder with Pyodide's snapshot, made before.
 */
const [secretPath = '', cacheDir = ''] = process.argv.slice(2)
const prepared = await prepareTargets({ secretPath })
const options = {
  logger: silentLogger,
  maxConcurrent: 2,
  standbys: 2,
  limits: TEST_LIMITS,
  allowsPrivateAddresses: false,
  cacheDir,
}
const problems: Record<string, string | null> = {}
const typescript = await openDenoRunner(options)
const replace = (source: string) =>
  source
    .replaceAll('PORT', String(prepared.targets.tcpPort))
    .replaceAll('FILE', secretPath)
    .replaceAll('RUNNER', 'no:file')
for (const { name, source, limits, check } of HOSTILE_TYPESCRIPT) {
  const result = await runTool(typescript, { sourceCode: replace(source), limits: { ...TEST_LIMITS, ...limits } })
  try {
    check(result)
    problems[name] = null
  } catch (error) {
    problems[name] = String(error)
  }
}
const benign = await runTool(typescript, { sourceCode: 'export const tool = (): number => 40 + 2' })
await typescript[Symbol.asyncDispose]()

const python = await openPyodideRunner(options)
const benignPython = await runTool(python, { sourceCode: 'def tool():\n    return 40 + 2' })
// the others are tried outside: here it is whether the process can be had and is confined, and each takes a second
const few = attacksFor(python).filter(({ name }) => /reads|connects|spins|bomb/.test(name))
for (const one of few) problems[one.name] = await attack(python, one, prepared.targets)
await python[Symbol.asyncDispose]()
problems.damage = await prepared.findDamage()
const connections = prepared.connections()
await prepared[Symbol.asyncDispose]()
console.log(JSON.stringify({ user: process.getuid?.(), benign, benignPython, connections, problems }))
