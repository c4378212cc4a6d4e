import { spawnSync } from 'node:child_process'
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The alternatives are installed here, outside the tree: they never enter our lock file, our checks or our package. */
export const PACKAGES_DIR = join(tmpdir(), 'perdure-alternatives')
// not called package.json: this folder would become a package of its own, which does not know our `#` imports
const MANIFEST = fileURLToPath(new URL('packages.json', import.meta.url))

/** Installs what `packages.json` beside this file names, unless it is there already. */
export async function installPackages(): Promise<void> {
  await mkdir(PACKAGES_DIR, { recursive: true })
  const installed = join(PACKAGES_DIR, 'package.json')
  const [wanted, present] = await Promise.all([
    readFile(MANIFEST, 'utf8'),
    readFile(installed, 'utf8').catch(() => undefined),
  ])
  if (wanted === present) return
  await copyFile(MANIFEST, installed)
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--no-package-lock'], {
    cwd: PACKAGES_DIR,
    stdio: 'inherit',
    timeout: 300_000,
  })
  if (status !== 0) throw new Error(`npm install failed in ${PACKAGES_DIR}; remove that folder and try again`)
}

/** A module of that folder. Its types are not there when ours are checked: the caller says what it uses of it. */
export function loadPackage<Module>(name: string): Module {
  return createRequire(join(PACKAGES_DIR, 'package.json'))(name) as Module
}

/** Restate's server: the program itself, since its wrapper does not pass a signal on. */
export const restateServer = (): string =>
  join(
    PACKAGES_DIR,
    'node_modules',
    `@restatedev/restate-server-${process.platform}-${process.arch}`,
    'bin',
    'restate-server',
  )
