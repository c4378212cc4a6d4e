import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freePort, type ServerProcess, startServerProcess } from '../../test/support/server-process.ts'
import { type ProbeReading, readProbe } from './probe.ts'

const script = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const PROBE = script('../server-probe.ts')
const SERVER = script('../../src/main.ts')
const MODEL_SERVER = script('../model-server.ts')

/** Where the model is: an HTTP provider in another process, as in production, or inside the server, to tell the two apart. */
export type ModelPlace = 'http' | 'in-process'

export interface MeasuredServer extends ServerProcess {
  /** What has been since the last reading. */
  read(): Promise<ProbeReading>
}

/**
 * A server that can be asked how it is. With BENCH_CPU_PROFILE set to a folder it leaves a profile there when it stops.
 * @param folder where the probe writes
 */
export async function startMeasuredServer(
  env: Record<string, string>,
  folder: string,
  options: { port?: number; model?: ModelPlace } = {},
): Promise<MeasuredServer> {
  const port = options.port ?? (await freePort())
  const file = join(folder, `probe-${port}.json`)
  const profiles = process.env.BENCH_CPU_PROFILE ?? ''
  const server = await startServerProcess(port, { LOG_LEVEL: 'warn', BENCH_PROBE_FILE: file, ...env }, [
    process.execPath,
    ...(profiles === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${profiles}`]),
    '--import',
    PROBE,
    options.model === 'in-process' ? MODEL_SERVER : SERVER,
  ])
  return { ...server, read: () => readProbe(server.pid, file) }
}

/** Milliseconds of processor time that a process has used. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  // clock ticks of 10 ms, in user and kernel mode
  return (Number(fields[11]) + Number(fields[12])) * 10
}
