import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '#platform/logger.ts'
import { SandboxUnavailable, type ToolLanguage } from '#tools/sandbox/tool-runner.ts'
import { type PackageRequirement, toNpmArguments, toPipArguments } from './package-requirement.ts'

/** Time for one installation; a failed one is not tried again for the same packages until `RETRY_MS` are over. */
const INSTALL_MS = 300_000
const RETRY_MS = 60_000
const LAST_LINES = 12
/** Written last: a folder without it is not complete. */
const MARK = '.perdure-layer.json'

export interface PackageLayersOptions {
  logger: Logger
  /** False refuses tools that need packages. */
  isAllowed: boolean
  /** Where layers are kept; made when the first is. */
  folder: string
  /** Finds the interpreter that will read the packages. Throws SandboxUnavailable where there is none. */
  findPython: () => Promise<string>
  /** Of the installer: where npm is, and how the network is reached. */
  environment: Readonly<Record<string, string>>
  pipIndexUrl: string | undefined
  npmRegistryUrl: string | undefined
}

/**
 * Folders with the packages that tools name, one for each set of them, made once and never changed: whoever needs the same packages
 * has the same folder. Packages are unpacked and nothing in them is run: wheels only, no install scripts. The installer has an
 * environment of its own, none of the server's.
 */
export class PackageLayers {
  readonly #options: PackageLayersOptions
  readonly #layers = new Map<string, Promise<string>>()
  readonly #failures = new Map<string, { error: Error; at: number }>()

  constructor(options: PackageLayersOptions) {
    this.#options = options
  }

  /**
   * The folder with these packages, installed now where it is not there; null where nothing is required. Throws unprocessable for a bad
   * requirement, SandboxUnavailable where packages are not allowed or cannot be installed.
   */
  async find(language: ToolLanguage, requirements: readonly PackageRequirement[]): Promise<string | null> {
    if (requirements.length === 0) return null
    const names = language === 'python' ? toPipArguments(requirements) : toNpmArguments(requirements)
    if (!this.#options.isAllowed) {
      throw new SandboxUnavailable(
        `the tool needs packages (${names.join(', ')}), and this server installs none. The operator can set PERDURE_TOOL_PACKAGES=on.`,
      )
    }
    const source = await this.#source(language)
    const key = createHash('sha256')
      .update(JSON.stringify([language, source, names]))
      .digest('hex')
    const failure = this.#failures.get(key)
    if (failure !== undefined && Date.now() - failure.at < RETRY_MS) throw failure.error
    let layer = this.#layers.get(key)
    if (layer === undefined) {
      layer = this.#make(language, names, join(this.#options.folder, `${language}-${key.slice(0, 32)}`))
      this.#layers.set(key, layer)
      layer.catch((error: Error) => {
        this.#layers.delete(key)
        this.#failures.set(key, { error, at: Date.now() })
      })
    }
    return layer
  }

  /** What else decides which files a set of names means. */
  async #source(language: ToolLanguage): Promise<string> {
    const { findPython, pipIndexUrl, npmRegistryUrl } = this.#options
    return language === 'python' ? `${await findPython()} ${pipIndexUrl ?? ''}` : (npmRegistryUrl ?? '')
  }

  async #make(language: ToolLanguage, names: readonly string[], target: string): Promise<string> {
    if (await isComplete(target)) return target
    const startedAt = Date.now()
    const partial = `${target}.${randomUUID().slice(0, 8)}.partial`
    const home = await mkdtemp(join(tmpdir(), 'perdure-install-'))
    try {
      await mkdir(partial, { recursive: true, mode: 0o755 })
      const { command, args } = language === 'python' ? await this.#pip(partial, names) : this.#npm(partial, names)
      await install(command, args, { folder: partial, home, environment: this.#options.environment })
      await writeFile(join(partial, MARK), JSON.stringify({ packages: names, installed_at: new Date().toISOString() }))
      await moveInto(partial, target)
    } catch (error) {
      if (error instanceof SandboxUnavailable) throw error
      const message = error instanceof Error ? error.message : 'unknown error'
      throw new SandboxUnavailable(`the packages ${names.join(', ')} could not be installed: ${message}`)
    } finally {
      await Promise.all([partial, home].map((folder) => rm(folder, { recursive: true, force: true })))
    }
    this.#options.logger.info({ packages: names, ms: Date.now() - startedAt }, 'packages of a tool are installed')
    return target
  }

  async #pip(folder: string, names: readonly string[]) {
    const { findPython, pipIndexUrl } = this.#options
    const index = pipIndexUrl === undefined ? [] : ['--index-url', pipIndexUrl]
    const how = ['--only-binary=:all:', '--no-input', '--disable-pip-version-check', '--no-cache-dir', '--quiet']
    const command = await findPython()
    return { command, args: ['-m', 'pip', 'install', '--target', folder, ...how, ...index, '--', ...names] }
  }

  #npm(folder: string, names: readonly string[]) {
    const { npmRegistryUrl } = this.#options
    const registry = npmRegistryUrl === undefined ? [] : ['--registry', npmRegistryUrl]
    const how = [
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--no-update-notifier',
      '--omit=dev',
      '--loglevel=error',
    ]
    return { command: 'npm', args: ['install', '--prefix', folder, ...how, ...registry, '--', ...names] }
  }
}

const isComplete = (folder: string): Promise<boolean> =>
  stat(join(folder, MARK)).then(
    () => true,
    () => false,
  )

/** Another process may have been faster: then its folder, which has the same packages, is taken. */
async function moveInto(partial: string, target: string): Promise<void> {
  try {
    await rename(partial, target)
  } catch (error) {
    if (!(await isComplete(target))) throw error
  }
}

/** Throws with the last lines of what the installer said. */
async function install(
  command: string,
  args: readonly string[],
  { folder, home, environment }: { folder: string; home: string; environment: Readonly<Record<string, string>> },
): Promise<void> {
  const child = spawn(command, args, {
    cwd: folder,
    env: { ...environment, HOME: home, LANG: 'C.UTF-8', npm_config_cache: join(home, 'npm') },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const said: string[] = []
  const hear = (chunk: Buffer) => {
    said.push(...chunk.toString('utf8').split('\n'))
    said.splice(0, said.length - LAST_LINES)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const timer = setTimeout(() => killGroup(child.pid), INSTALL_MS)
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (code !== 0) throw new Error(`${command} ended with ${code ?? 'a signal'}. ${withoutPasswords(said.join('\n'))}`)
  } finally {
    clearTimeout(timer)
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // it has ended by itself
  }
}

/** An index can have its password in its address. */
const withoutPasswords = (text: string): string => text.replaceAll(/\/\/[^/@\s]+@/g, '//')
