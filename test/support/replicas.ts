import { freePort, type ServerProcess, startServerProcess } from './server-process.ts'

/** One of several servers on one database. It keeps its port when it is started again. */
export interface Replica {
  readonly port: number
  readonly url: string
  readonly pid: number
  /** Log lines of all its processes, in order. */
  log(): Record<string, unknown>[]
  /** SIGTERM; gives the exit code. */
  stop(): Promise<number | null>
  /** Throws if it had ended before. */
  kill(): Promise<void>
  start(): Promise<void>
}

export async function startReplicas(count: number, env: Record<string, string>): Promise<Replica[]> {
  const replicas: Replica[] = []
  for (let index = 0; index < count; index += 1) replicas.push(await startReplica(env))
  return replicas
}

async function startReplica(env: Record<string, string>): Promise<Replica> {
  const port = await freePort()
  const processes: ServerProcess[] = []
  const current = (): ServerProcess => {
    const last = processes.at(-1)
    if (last === undefined) throw new Error('the replica was not started')
    return last
  }
  const start = async () => {
    processes.push(await startServerProcess(port, env))
  }
  await start()
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    get pid() {
      return current().pid
    },
    log: () => processes.flatMap(({ log }) => log),
    stop: () => current().stop(),
    kill: () => current().kill(),
    start,
  }
}
