import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { Command } from 'commander'
import { type Config, loadConfig, storageSettingsOf } from '#config/config.ts'
import { installerEnvironment } from '#config/installer-environment.ts'
import { openEmbedders } from '#llm/embeddings/open-embedders.ts'
import { tryStorage } from '#memory/files/storage/try-storage.ts'
import { errorMessage } from '#platform/errors.ts'
import { createLogger } from '#platform/logger.ts'
import { describeDatabase, lackOf, whyUnreachable } from '#store/describe-database.ts'
import { vectorColumn } from '#store/embeddings/vector-column.ts'
import { openSandbox } from '#tools/sandbox/open-sandbox.ts'
import { findPython } from '#tools/sandbox/python/find-python.ts'
import type { Sandbox, SandboxState } from '#tools/sandbox/sandbox.ts'
import { addOptionFlags, readOptionFlags } from './option-flags.ts'

const run = promisify(execFile)

/** `warn`: it works, but not as well as it could · `fail`: something that is asked for does not work. */
export interface Finding {
  state: 'ok' | 'off' | 'warn' | 'fail'
  subject: string
  message: string
}

/** `perdure doctor`: looks at what the server needs and says what is wrong and what to do. Ends with 1 where something fails. */
export function registerDoctor(program: Command): void {
  const command = program
    .command('doctor')
    .description('look at what the server needs: the database, the sandboxes of tools and their level; say what to do')
  addOptionFlags(command).action(async () => {
    const config = loadConfig({ flags: readOptionFlags(command) })
    const findings = await examine(config)
    // at once: who reads the first lines only (`| head -1`) closes the pipe behind them
    const lines = findings.map(({ state, subject, message }) => `${state.padEnd(5)}${subject.padEnd(22)}${message}\n`)
    process.stdout.write(lines.join(''))
    if (findings.some(({ state }) => state === 'fail')) process.exitCode = 1
  })
}

/** All findings, in the order in which they are shown. */
export async function examine(config: Config): Promise<Finding[]> {
  await using sandbox = openSandbox(config, createLogger({ level: 'silent', format: 'json' }))
  return [
    ...config.warnings.map((message): Finding => ({ state: 'warn', subject: 'settings', message })),
    await examineDatabase(config),
    await examineEmbeddings(config),
    await examineUploads(config),
    describeSandbox(await sandbox.describe('python')),
    describeSandbox(await sandbox.describe('typescript')),
    ...(await examinePackages(config, sandbox)),
    describeStdio(config),
  ]
}

async function examineDatabase({ databaseUrl, dataDir }: Config): Promise<Finding> {
  const subject = 'database'
  if (databaseUrl === undefined) return { state: 'ok', subject, message: `embedded, in ${dataDir}` }
  try {
    const { openDatabase } = await import('#store/open-database.ts')
    await using db = await openDatabase({ kind: 'postgres', url: databaseUrl, poolSize: 2 })
    const found = await describeDatabase(db)
    const lack = lackOf(found)
    if (lack !== undefined) return { state: 'fail', subject, message: lack }
    return { state: 'ok', subject, message: `PostgreSQL ${found.version}, pgvector ${found.vector_version}` }
  } catch (error) {
    const message = `${whyUnreachable(error)}: does it run, and are address, name and password in PERDURE_DATABASE_URL right?`
    return { state: 'fail', subject, message }
  }
}

async function examineEmbeddings(config: Config): Promise<Finding> {
  const subject = 'embeddings'
  await using embedders = openEmbedders(config, createLogger({ level: 'silent', format: 'json' }))
  const handle = embedders.defaultHandle
  if (handle === undefined) return { state: 'off', subject, message: 'switched off: searches go by words' }
  try {
    const embedder = await embedders.getEmbedder(handle)
    vectorColumn(embedder.dimensions)
    await embedder.embed(['hello'])
    return { state: 'ok', subject, message: `${handle}, ${embedder.dimensions} dimensions` }
  } catch (error) {
    const reason = errorMessage(error).replace(/[.]?$/, '.')
    const named = reason.includes(handle) ? reason : `${handle}: ${reason}`
    return { state: 'fail', subject, message: `${named} Until then searches go by words.` }
  }
}

async function examineUploads(config: Config): Promise<Finding> {
  const subject = 'storage of uploads'
  const settings = storageSettingsOf(config)
  const problem = await tryStorage(settings)
  if (problem !== undefined) return { state: 'fail', subject, message: problem }
  const where = settings.current === 'folder' ? settings.folder : `the bucket ${settings.s3?.bucket}`
  return {
    state: 'ok',
    subject,
    message: settings.current === 'database' ? 'the database' : `${where}: written to and read`,
  }
}

const LEVELS = {
  cpython: 'cpython: the python3 of this machine, contained by the kernel (Landlock, seccomp, limits)',
  pyodide: 'pyodide: Python in WebAssembly, in a Deno process without permissions',
  deno: 'deno: a Deno process without permissions',
} as const

function describeSandbox({ language, level, problems }: SandboxState): Finding {
  const subject = `sandbox, ${language}`
  const why = problems.length > 0 ? `. Not used: ${problems.join('; ')}` : ''
  if (level !== null) return { state: problems.length > 0 ? 'warn' : 'ok', subject, message: `${LEVELS[level]}${why}` }
  if (problems.length === 0) return { state: 'off', subject, message: 'switched off: such tools are refused' }
  return { state: 'fail', subject, message: `none: such tools are refused${why}` }
}

async function examinePackages(config: Config, sandbox: Sandbox): Promise<Finding[]> {
  if (config.toolPackages === 'off') {
    const message = 'not installed: tools that name packages are refused (PERDURE_TOOL_PACKAGES=on allows them)'
    return [{ state: 'off', subject: 'packages of tools', message }]
  }
  const findings: Finding[] = []
  if ((await sandbox.describe('python')).level !== null) {
    findings.push(
      await examineInstaller(
        'pip',
        () => pipCommand(config),
        'Install pip for it, or name another Python in PERDURE_PYTHON.',
      ),
    )
  }
  if ((await sandbox.describe('typescript')).level !== null) {
    findings.push(await examineInstaller('npm', async () => ['npm', '--version'], 'Install npm.'))
  }
  return findings
}

async function pipCommand({ pythonPath }: Config): Promise<string[]> {
  const { path } = await findPython(pythonPath)
  return [path, '-m', 'pip', '--version']
}

async function examineInstaller(name: string, find: () => Promise<string[]>, advice: string): Promise<Finding> {
  const subject = `packages, ${name}`
  try {
    const [command = '', ...args] = await find()
    const { stdout } = await run(command, args, { env: installerEnvironment(), timeout: 20_000 })
    return { state: 'ok', subject, message: `${name} ${/\d[\w.]*/.exec(stdout)?.[0] ?? ''}` }
  } catch (error) {
    const [first] = errorMessage(error).split('\n')
    return { state: 'fail', subject, message: `${first}. ${advice}` }
  }
}

function describeStdio({ mcpStdio }: Config): Finding {
  const subject = 'MCP over stdio'
  return mcpStdio === 'off'
    ? { state: 'off', subject, message: 'MCP servers that are programs are refused (PERDURE_MCP_STDIO)' }
    : { state: 'ok', subject, message: `allowed: ${mcpStdio}` }
}
