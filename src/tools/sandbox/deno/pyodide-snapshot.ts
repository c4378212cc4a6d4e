import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SandboxUnavailable, type ToolLimits } from '#tools/sandbox/tool-runner.ts'
import { buildDenoLaunch } from './deno-launch.ts'
import { DenoProcess } from './deno-process.ts'

/** Python that runs inside of Pyodide: what CPython's driver runs too, and this driver's own. */
const MODULES = {
  value_text: '../python/value_text.py',
  arguments: '../python/arguments.py',
  agent_state: '../python/agent_state.py',
  run_code: '../python/run_code.py',
  pyodide_call: './pyodide-call.py',
}
/** What a snapshot depends on besides: it is made anew when one of these changes. */
const BOOT_FILES = ['./pyodide-modules.mjs', './pyodide-snapshot.mjs']
const BUILD_MS = 60_000
const MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024
const BUILD_LIMITS: Pick<ToolLimits, 'cpuSeconds' | 'memoryBytes'> = { cpuSeconds: 60, memoryBytes: 1024 ** 3 }
const PREFIX = 'pyodide-'

/** Absolute path of Pyodide's folder. Throws SandboxUnavailable. */
export function findPyodide(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('pyodide/package.json'))
  } catch {
    throw new SandboxUnavailable(
      'Pyodide is not installed, in which Python tools run where CPython cannot be confined. Install without --omit=optional.',
    )
  }
}

export interface Snapshot {
  path: string
  /** Removes what is not to outlive the server. */
  dispose(): Promise<void>
}

/**
 * A file with the memory of a Pyodide that has started, from which others start in 0.4 s instead of 3 s. Made once for the versions in use and kept in
 * `cacheDir`; without one, in a folder of the system's for temporary files, for this process alone. Throws SandboxUnavailable.
 */
export async function openSnapshot(binary: string, pyodide: string, cacheDir: string | undefined): Promise<Snapshot> {
  const sources = await readSources()
  const name = `${PREFIX}${await versionOf(pyodide, sources)}.snapshot`
  const cached = cacheDir === undefined ? undefined : await openFolder(cacheDir)
  if (cached !== undefined) {
    const path = join(cached, name)
    if (!existsSync(path)) await keep(await buildSnapshot(binary, pyodide, sources), cached, name)
    return { path, dispose: async () => undefined }
  }
  const own = await mkdtemp(join(tmpdir(), 'perdure-pyodide-')).catch((error: Error) => {
    throw new SandboxUnavailable(
      `there is no folder that Pyodide's snapshot can be written to (${error.message}). Give the server a data directory that it may write to.`,
    )
  })
  await keep(await buildSnapshot(binary, pyodide, sources), own, name)
  return { path: join(own, name), dispose: () => rm(own, { recursive: true, force: true }) }
}

async function openFolder(path: string): Promise<string | undefined> {
  try {
    await mkdir(path, { recursive: true })
    const probe = join(path, `.writable-${process.pid}`)
    await writeFile(probe, '')
    await rm(probe)
    return path
  } catch {
    // one that has the snapshot already need not be writable
    return existsSync(path) && (await readdir(path)).some((name) => name.startsWith(PREFIX)) ? path : undefined
  }
}

/** Complete or not at all, also when several servers make it at once. Those of other versions stay: a server that is still running may need one. */
async function keep(bytes: Buffer, folder: string, name: string): Promise<void> {
  const temporary = join(folder, `.${name}.${process.pid}.${Date.now()}`)
  await writeFile(temporary, bytes, { mode: 0o600, flush: true })
  await rename(temporary, join(folder, name))
}

async function readSources(): Promise<Record<keyof typeof MODULES, string>> {
  const read = async ([name, path]: [string, string]) => [name, await readFile(here(path), 'utf8')]
  return Object.fromEntries(await Promise.all(Object.entries(MODULES).map(read)))
}

/** A hash of everything that goes into a snapshot. */
async function versionOf(pyodide: string, sources: Record<string, string>): Promise<string> {
  const own = createRequire(import.meta.url)
  const packages = [own.resolve('deno/package.json'), join(pyodide, 'package.json')]
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${JSON.stringify(sources)}`)
  for (const path of [...packages, ...BOOT_FILES.map(here)]) hash.update(await readFile(path))
  return hash.digest('hex').slice(0, 32)
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

async function buildSnapshot(binary: string, pyodide: string, sources: Record<string, string>): Promise<Buffer> {
  const launch = buildDenoLaunch({
    binary,
    script: './pyodide-snapshot.mjs',
    scriptArgs: [pyodide],
    readable: [pyodide],
    packages: null,
    baselineBytes: null,
    limits: BUILD_LIMITS,
    startCpuSeconds: 0,
  })
  const process = new DenoProcess(launch)
  const chunks: Buffer[] = []
  process.onChunk = (chunk) => void chunks.push(chunk)
  process.maxBytes = MAX_SNAPSHOT_BYTES
  const timer = setTimeout(() => void process.kill(), BUILD_MS)
  try {
    if (await process.ready) process.send(JSON.stringify({ sources }))
    const { code } = await process.ended
    await process.drained()
    if (code === 0 && chunks.length > 0) return Buffer.concat(chunks)
    throw new SandboxUnavailable(
      `Pyodide does not start (exit ${code}): ${process.stderr.trim().slice(-500)}. It needs about 800 MB of memory while its snapshot is made.`,
    )
  } finally {
    clearTimeout(timer)
    await process.kill()
  }
}
