import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '#config/config.ts'
import { createLogger } from '#platform/logger.ts'
import { PackageLayers, type PackageLayersOptions } from '#tools/packages/package-layers.ts'
import { openSandbox } from '#tools/sandbox/open-sandbox.ts'
import type { ToolCall } from '#tools/sandbox/tool-runner.ts'
import { type PackageIndex, startPackageIndex } from '../support/package-index.ts'
import { toolCall } from '../support/tool-call.ts'

/** A package writes here if anything of it is run. */
const TRACE = join(tmpdir(), `perdure-package-was-run-${process.pid}`)
const RUNS = `require('fs').writeFileSync(${JSON.stringify(TRACE)}, 'npm')`

let index: PackageIndex
let folder: string
beforeAll(async () => {
  index = await startPackageIndex(
    [
      { name: 'greeter', version: '1.2', wheel: { 'greeter/__init__.py': 'def greet(): return "hello"\n' } },
      { name: 'runner', version: '1.0', source: { 'setup.py': `open(${JSON.stringify(TRACE)}, "w").write("pip")\n` } },
    ],
    [
      {
        name: 'shouter',
        version: '2.0.0',
        packageJson: {
          scripts: { preinstall: `node -e "${RUNS.replaceAll('"', '\\"')}"`, postinstall: 'node run.js' },
        },
        files: { 'index.js': 'module.exports = "HELLO"', 'run.js': RUNS },
      },
    ],
  )
})
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-layers-'))
  return () => rm(folder, { recursive: true })
})
afterAll(async () => {
  await index[Symbol.asyncDispose]()
  await rm(TRACE, { force: true })
})

/** The first Python in the path, which must have pip; shims are followed. */
const python = execFileSync('python3', ['-c', 'import pip, sys; print(sys.executable)'], { encoding: 'utf8' }).trim()

const layersIn = (more: Partial<PackageLayersOptions> = {}) =>
  new PackageLayers({
    logger: createLogger({ level: 'silent', format: 'json' }),
    isAllowed: true,
    folder,
    findPython: async () => python,
    environment: { PATH: process.env.PATH ?? '', PLANTED: 'not for installers' },
    pipIndexUrl: index.pipIndexUrl,
    npmRegistryUrl: index.npmRegistryUrl,
    ...more,
  })
const named = (name: string, version: string | null = null) => ({ name, version })

it('installs Python packages once for all who need the same, and gives the same folder', async () => {
  const layers = layersIn()
  const before = index.requests.length
  const found = await Promise.all([1, 2, 3].map(() => layers.find('python', [named('greeter', '1.2')])))
  expect(new Set(found).size).toBe(1)
  expect(existsSync(join(found[0] ?? '', 'greeter/__init__.py'))).toBe(true)
  expect(index.requests.slice(before).filter((path) => path.endsWith('.whl'))).toHaveLength(1)
  // another process, which finds what there is
  expect(await layersIn().find('python', [named('greeter', '1.2')])).toBe(found[0])
  expect(await readdir(folder)).toHaveLength(1)
})

it('runs nothing of a package: neither what builds it nor install scripts', async () => {
  await expect(layersIn().find('python', [named('runner')])).rejects.toThrow(/could not be installed.*runner/s)
  const packages = await layersIn().find('typescript', [named('shouter', '^2.0.0')])
  expect(existsSync(join(packages ?? '', 'node_modules/shouter/index.js'))).toBe(true)
  expect(existsSync(TRACE)).toBe(false)
  expect((await readdir(folder)).filter((name) => name.includes('partial'))).toEqual([])
})

it('says what could not be had, and does not ask again at once', async () => {
  const layers = layersIn()
  await expect(layers.find('python', [named('nowhere')])).rejects.toThrow(/nowhere/)
  const before = index.requests.length
  await expect(layers.find('python', [named('nowhere')])).rejects.toThrow(/nowhere/)
  expect(index.requests.length).toBe(before)
})

it('keeps the password of an index to itself', async () => {
  const pipIndexUrl = 'http://user:hunter2secret@127.0.0.1:9/simple'
  const failed = layersIn({ pipIndexUrl }).find('python', [named('greeter')])
  await expect(failed).rejects.toThrow(/could not be installed/)
  await expect(failed).rejects.not.toThrow(/hunter2secret/)
})

it('refuses packages where the operator allows none, and needs none for a tool without', async () => {
  const layers = layersIn({ isAllowed: false })
  await expect(layers.find('python', [named('greeter')])).rejects.toThrow(/PERDURE_TOOL_PACKAGES=on/)
  expect(await layers.find('python', [])).toBeNull()
})

it('gives packages to the tools that name them, in both languages', async () => {
  const layers = layersIn()
  const config = { ...loadConfig({ env: {} }), pythonPath: python, cacheDir: folder }
  await using sandbox = openSandbox(config, createLogger({ level: 'silent', format: 'json' }))
  const inPython = toolCall({
    language: 'python',
    sourceCode: 'import greeter\ndef tool():\n    return greeter.greet()',
    packages: await layers.find('python', [named('greeter')]),
  })
  const inTypeScript = toolCall({
    language: 'typescript',
    sourceCode: "import shouter from 'shouter'\nexport function tool() { return shouter }",
    packages: await layers.find('typescript', [named('shouter')]),
  })
  const run = (call: ToolCall) => sandbox.run(call, new AbortController().signal)
  expect(await run(inPython)).toMatchObject({ status: 'success', text: 'hello' })
  expect(await run(inTypeScript)).toMatchObject({ status: 'success', text: 'HELLO' })
  expect(await run({ ...inPython, packages: null })).toMatchObject({ status: 'error', type: 'ModuleNotFoundError' })
  expect(await run({ ...inTypeScript, packages: null })).toMatchObject({ status: 'error' })
  expect(existsSync(TRACE)).toBe(false)
})
