import { createLogger } from '../../src/platform/logger.ts'
import { openCpythonRunner } from '../../src/tools/sandbox/python/open-cpython-runner.ts'
import { attack, attacksFor, runProgram } from './hostile-python.ts'
import { prepareTargets } from './prepare-targets.ts'

/**
 * Runs in a locked-down pod: opens the runner, lets every attack loose, and prints what became of each as JSON.
 * The folder named by the argument has the one file of the server.
 */
const prepared = await prepareTargets({ secretPath: process.argv[2] ?? '' })
const runner = await openCpythonRunner({
  logger: createLogger({ level: 'silent', format: 'json' }),
  maxConcurrent: 4,
  allowsPrivateAddresses: false,
})
const problems: Record<string, string | null> = {}
for (const one of attacksFor(runner)) problems[one.name] = await attack(runner, one, prepared.targets)
problems.damage = await prepared.findDamage()
const benign = await runProgram(runner, 'import ssl, sqlite3, json\njson.dumps({"a": [1, 2]})')
const connections = prepared.connections()
await runner[Symbol.asyncDispose]()
await prepared[Symbol.asyncDispose]()
console.log(JSON.stringify({ user: process.getuid?.(), benign, connections, problems }))
