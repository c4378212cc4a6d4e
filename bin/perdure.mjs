#!/usr/bin/env node
// The command `perdure`, whatever the machine's own Node: plain JavaScript that starts the program on the Node 24 that the
// package brings along (the npm package "node").
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const MIN_MAJOR = 24

// a checkout runs its sources, the published package has only dist/
const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src/main.ts')
const main = existsSync(source) ? source : join(root, 'dist/main.js')

if (Number(process.versions.node.split('.')[0]) >= MIN_MAJOR) await import(pathToFileURL(main).href)
else runOnBundledNode()

function runOnBundledNode() {
  const node = findBundledNode()
  if (node === undefined) {
    console.error(
      `perdure: Node ${MIN_MAJOR} is needed, this is ${process.version}, and the one that the package brings is missing, because npm ran without install scripts. Run "npm rebuild node" where perdure is installed, or install Node ${MIN_MAJOR}.`,
    )
    process.exit(1)
  }
  // the channel tells the server when this process is gone, however it went
  const stdio = ['inherit', 'inherit', 'inherit', 'ipc']
  const child = spawn(node, [...process.execArgv, main, ...process.argv.slice(2)], { stdio })
  // a terminal sends Ctrl-C to both; what is sent to this process alone is passed on
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`perdure: ${node} does not start: ${error.message}`)
    process.exit(1)
  })
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}

function findBundledNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve('node/package.json')
    return ['bin/node', 'bin/node.exe'].map((name) => join(dirname(manifest), name)).find((path) => existsSync(path))
  } catch {
    return undefined
  }
}
