import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { freePort } from './server-process.ts'

const run = promisify(execFile)
const START_TIMEOUT_MS = 20_000
const USER = 'perdure'

/** A PostgreSQL server of its own, from the machine's programs, with its data in a temporary directory. */
export interface PostgresServer {
  port: number
  url: string
  query<Row extends object>(sql: string, database?: string): Promise<Row[]>
  /** Everything that the server has logged; it logs every statement. */
  log(): Promise<string>
  /** Ends every process of the server with -9, none having a chance to say goodbye. Throws if it had ended before. */
  kill(): Promise<void>
}

export interface PostgresCluster extends AsyncDisposable {
  primary: PostgresServer
  /** Follows the primary, which acknowledges a commit only when it is safe here too; answers queries. */
  standby: PostgresServer
  /** Makes the standby a primary. */
  promote(): Promise<void>
}

/** A primary and a synchronous standby, both ready. */
export async function startPostgresCluster(): Promise<PostgresCluster> {
  await using resources = new AsyncDisposableStack()
  const owner = await serverUser()
  const root = await mkdtemp(join(tmpdir(), 'perdure-cluster-'))
  resources.defer(() => rm(root, { recursive: true, force: true, maxRetries: 3 }))
  if (owner !== undefined) await chown(root, owner.uid, owner.gid)
  const postgres: Installation = { bin: findPrograms(), root, owner }

  const primaryDir = join(root, 'primary')
  await runProgram(postgres, 'initdb', [
    '-D',
    primaryDir,
    '-U',
    USER,
    '--auth=trust',
    '-E',
    'UTF8',
    '--locale=C',
    '--no-sync',
  ])
  const primary = await startServer(postgres, primaryDir)
  resources.defer(() => primary.stop())
  await primary.query('create database perdure_test')

  const standbyDir = join(root, 'standby')
  const source = `host=127.0.0.1 port=${primary.port} user=${USER} application_name=standby`
  await runProgram(postgres, 'pg_basebackup', [
    '-D',
    standbyDir,
    '-R',
    '-c',
    'fast',
    '--no-sync',
    '-X',
    'stream',
    '-d',
    source,
  ])
  const standby = await startServer(postgres, standbyDir)
  resources.defer(() => standby.stop())
  // only now, so that the standby, once promoted, waits for nobody
  await primary.query("alter system set synchronous_standby_names = 'standby'")
  await primary.query('select pg_reload_conf()')
  await waitUntil('the standby is synchronous', async () => {
    const rows = await primary.query<{ sync_state: string }>('select r.sync_state from pg_stat_replication as r')
    return rows[0]?.sync_state === 'sync'
  })

  const owned = resources.move()
  return {
    primary,
    standby,
    async promote() {
      const [row] = await standby.query<{ is_promoted: boolean }>('select pg_promote() as is_promoted')
      if (row?.is_promoted !== true) throw new Error('the standby was not promoted')
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

interface Installation {
  bin: string
  root: string
  owner: { uid: number; gid: number } | undefined
}

/** PostgreSQL refuses to run as root: there it runs as the user that came with its package. */
async function serverUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const [uid, gid] = await Promise.all(['-u', '-g'].map((flag) => run('id', [flag, 'postgres'])))
  return { uid: Number(uid?.stdout), gid: Number(gid?.stdout) }
}

/** Where Debian and its kin put them. */
function findPrograms(): string {
  const root = '/usr/lib/postgresql'
  const versions = existsSync(root) ? readdirSync(root).map(Number).filter(Number.isInteger) : []
  if (versions.length === 0) throw new Error(`no PostgreSQL in ${root}: install the packages postgresql and pgvector`)
  return `/usr/lib/postgresql/${Math.max(...versions)}/bin`
}

async function runProgram({ bin, root, owner }: Installation, name: string, args: string[]): Promise<void> {
  await run(join(bin, name), args, { ...owner, cwd: root, env: { PATH: process.env.PATH } })
}

async function startServer(
  postgres: Installation,
  dataDir: string,
): Promise<PostgresServer & { stop(): Promise<void> }> {
  const { bin, root, owner } = postgres
  const port = await freePort()
  const logFile = `${dataDir}.log`
  await writeFile(logFile, '')
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    // a crash of the process, not of the machine, is what is tested
    fsync: 'off',
    shared_buffers: '32MB',
    log_statement: 'all',
    wal_receiver_status_interval: '1s',
  }
  const output = openSync(logFile, 'a')
  const child = spawn(
    join(bin, 'postgres'),
    ['-D', dataDir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { ...owner, cwd: root, env: { PATH: process.env.PATH ?? '' }, stdio: ['ignore', output, output] },
  )
  closeSync(output)
  const exited = once(child, 'exit')
  const urlOf = (database: string) => `postgresql://${USER}@127.0.0.1:${port}/${database}`
  const query = async <Row extends object>(sql: string, database = 'postgres'): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: urlOf(database) })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query<Row>(sql)).rows
    } finally {
      await client.end()
    }
  }
  const log = () => readFile(logFile, 'utf8')
  try {
    await waitUntil('the server answers', async () => {
      if (child.exitCode !== null) throw new Error(`PostgreSQL ended:\n${await log()}`)
      return query('select 1').then(
        () => true,
        () => false,
      )
    })
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return {
    port,
    url: urlOf('perdure_test'),
    query,
    log,
    async kill() {
      if (hasEnded(child)) throw new Error('PostgreSQL had ended before it was killed')
      // the postmaster first, so that it starts nobody anew; its children would go on for a moment without it
      const children = await childrenOf(child.pid ?? 0)
      child.kill('SIGKILL')
      for (const pid of children) killIfThere(pid)
      await exited
    },
    async stop() {
      if (hasEnded(child)) return
      // SIGQUIT: at once, the data is thrown away anyway
      child.kill('SIGQUIT')
      await exited
    },
  }
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null

/** Linux: who names this process as its parent. */
async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const found = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      // pid (name, which may hold anything) state parent …
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent ? [pid] : []
    }),
  )
  return found.flat()
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // gone by itself
  }
}

async function waitUntil(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`${what}: not after ${START_TIMEOUT_MS / 1000} s`)
    await sleep(50)
  }
}
