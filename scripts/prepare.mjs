// Runs before `npm start` and `npm test`: installs what is missing and builds the template of the embedded database.
// Plain JavaScript, because on a fresh clone it runs on the machine's own Node (18 or newer), before ours is there.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundledNode = join(root, 'node_modules/.bin/node')
const needsInstall = !isInstalled()

if (needsInstall) {
  const command = existsSync(join(root, 'package-lock.json')) ? 'ci' : 'install'
  console.log(`perdure: installing dependencies (npm ${command}), about half a minute…`)
  run('npm', [command, '--no-progress', '--loglevel=error'])
}
if (!existsSync(bundledNode)) {
  fail('the bundled Node is missing: the install scripts of the package "node" did not run. Try: npm rebuild node')
}
run(bundledNode, [join(root, 'scripts/build-template.ts')])

/** npm writes its own copy of the lock file last, when an installation is complete. */
function isInstalled() {
  const installed = join(root, 'node_modules/.package-lock.json')
  const wanted = join(root, 'package-lock.json')
  if (!existsSync(installed) || !existsSync(bundledNode)) return false
  if (!existsSync(wanted) || statSync(installed).mtimeMs >= statSync(wanted).mtimeMs) return true
  return isSameTree(JSON.parse(readFileSync(installed, 'utf8')), JSON.parse(readFileSync(wanted, 'utf8')))
}

/** A newer lock file that names the same packages (a checkout touches it) needs no installation. */
function isSameTree(installed, wanted) {
  const isPackage = ([path]) => path.startsWith('node_modules/')
  const isInstalledAsWanted = ([path, entry]) =>
    path in installed.packages ? installed.packages[path].version === entry.version : entry.optional === true
  return (
    Object.entries(wanted.packages).filter(isPackage).every(isInstalledAsWanted) &&
    Object.keys(installed.packages).every((path) => path in wanted.packages)
  )
}

function run(command, args) {
  const { status, error, signal } = spawnSync(command, args, {
    cwd: root,
    // an npm that does not know allowScripts would run the script of this one, which downloads CUDA libraries from another host
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' },
    stdio: 'inherit',
    shell: process.platform === 'win32' && command === 'npm',
  })
  if (error) fail(`${command} could not start: ${error.message}`)
  if (status !== 0)
    fail(`${command} ${args.join(' ')} failed (${signal ?? `exit code ${status}`}); its output is above.`)
}

function fail(message) {
  console.error(`perdure: ${message}`)
  process.exit(1)
}
