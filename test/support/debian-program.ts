import { execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/programs', import.meta.url))
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/bin', '/usr/local/bin']
const DOWNLOAD_LIMIT_MS = 180_000

/** A program that a test runs for real, and the variables that it needs. */
export interface Program {
  path: string
  env: Record<string, string>
}

/**
 * The program of that name: the installed one, or that of Debian's package of the same name, unpacked under `node_modules/.cache/` with the
 * libraries that the machine lacks; nothing is installed. Throws where neither can be had: a test of it must fail then.
 */
export async function findProgram(name: string): Promise<Program> {
  for (const folder of [...(process.env.PATH ?? '').split(':'), ...SYSTEM_FOLDERS]) {
    if (folder !== '' && (await exists(join(folder, name)))) return { path: join(folder, name), env: {} }
  }
  const root = join(CACHE, name)
  if (!(await exists(join(root, 'usr/sbin', name)))) await unpack(name, root)
  const libraries = join(root, 'usr/lib')
  const all = await readdir(libraries).catch(() => [])
  const path = all.filter((folder) => folder.includes('-linux-')).map((folder) => join(libraries, folder))
  return { path: join(root, 'usr/sbin', name), env: path.length === 0 ? {} : { LD_LIBRARY_PATH: path.join(':') } }
}

async function unpack(name: string, root: string): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const work = await mkdtemp(join(CACHE, `${name}-`))
  try {
    const archives = join(work, 'archives')
    await mkdir(join(archives, 'partial'), { recursive: true })
    await download(name, archives)
    const unpacked = join(work, 'root')
    for (const file of await readdir(archives)) {
      if (file.endsWith('.deb')) await run('dpkg-deb', ['--extract', join(archives, file), unpacked])
    }
    await access(join(unpacked, 'usr/sbin', name))
    // another test process can have been quicker: then its copy is as good
    await rename(unpacked, root).catch(async (error: unknown) => {
      if (!(await exists(join(root, 'usr/sbin', name)))) throw error
    })
  } catch (error) {
    throw new Error(
      `${name} is not installed, and Debian's package of it could not be fetched and unpacked. Install ${name}, or run on Debian with package sources that answer. ${explain(error)}`,
      { cause: error },
    )
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** With the lists of packages that are there; where they are missing or old, with fresh ones. */
async function download(name: string, archives: string): Promise<void> {
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: DOWNLOAD_LIMIT_MS,
    maxBuffer: 64 * 1024 * 1024,
  }
  const settings = [`Dir::Cache::archives=${archives}`, 'Dir::Cache::pkgcache=', 'Dir::Cache::srcpkgcache=']
  const flags = [...settings, 'Debug::NoLocking=1', 'APT::Sandbox::User=root'].flatMap((setting) => ['-o', setting])
  const get = ['install', '-y', '-q', '--no-install-recommends', '--download-only', ...flags, name]
  try {
    await run('apt-get', get, options)
  } catch {
    await run('apt-get', ['update', '-q'], options)
    await run('apt-get', get, options)
  }
}

function explain(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string }
  return (stderr?.trim() || message || '').split('\n').slice(-3).join(' ')
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )
