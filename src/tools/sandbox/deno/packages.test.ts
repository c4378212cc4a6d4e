import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { runTool, silentLogger, TEST_LIMITS } from '../../../../test/support/tool-call.ts'
import { openDenoRunner } from './open-deno-runner.ts'

const root = mkdtempSync(join(tmpdir(), 'perdure-packages-'))
const packages = join(root, 'layer %20 one')
const outside = join(root, 'outside')
let runner: ToolRunner

const FILES: Record<string, string> = {
  'package.json': '{"name":"layer","dependencies":{"esm":"1.0.0","cjs":"1.0.0"}}',
  'node_modules/esm/package.json':
    '{"name":"esm","version":"1.0.0","type":"module","exports":{".":"./main.js","./deep":"./lib/deep.js"}}',
  'node_modules/esm/main.js': "import { inner } from 'inner'\nexport const outer = (x) => 'outer ' + inner(x)\n",
  'node_modules/esm/lib/deep.js': "export default 'deep'\n",
  'node_modules/inner/package.json': '{"name":"inner","version":"1.0.0","main":"index.mjs"}',
  'node_modules/inner/index.mjs': "export const inner = (x) => 'inner ' + x\n",
  'node_modules/cjs/package.json': '{"name":"cjs","version":"1.0.0"}',
  'node_modules/cjs/index.js':
    "const { sep } = require('path')\nconst data = require('./data.json')\nmodule.exports = { data, sep, env: process.env }\n",
  'node_modules/cjs/data.json': '{"a":1}',
}

beforeAll(async () => {
  for (const [name, text] of Object.entries(FILES)) {
    mkdirSync(dirname(join(packages, name)), { recursive: true })
    writeFileSync(join(packages, name), text)
  }
  mkdirSync(join(outside, 'node_modules/evil'), { recursive: true })
  writeFileSync(join(outside, 'secret.txt'), 'SECRET')
  writeFileSync(join(outside, 'node_modules/evil/package.json'), '{"name":"evil","version":"1.0.0","secret":"SECRET"}')
  writeFileSync(join(outside, 'node_modules/evil/index.js'), "module.exports = 'SECRET'")
  const options = { logger: silentLogger, maxConcurrent: 4, standbys: 1, limits: TEST_LIMITS }
  runner = await openDenoRunner({ ...options, allowsPrivateAddresses: false })
})

afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  rmSync(root, { recursive: true })
})

async function textOf(sourceCode: string, env = {}): Promise<string> {
  const result = await runTool(runner, { sourceCode, packages, env })
  return result.status === 'success' ? result.text : `${result.type}: ${result.message}`
}

test('modules and CommonJS, with what they import themselves', async () => {
  const source = `import { outer } from 'esm'
    import deep from 'esm/deep'
    import cjs from 'cjs'
    export const tool = async () => [outer(1), deep, cjs.data, cjs.sep, cjs.env.KEY, (await import('inner')).inner(2)]`
  expect(await textOf(source, { KEY: 'v' })).toBe('["outer inner 1","deep",{"a":1},"/","v","inner 2"]')
})

test('what is not installed is named', async () => {
  expect(await textOf("import x from 'left-pad'\nexport const tool = () => x")).toMatch(/left-pad/)
})

test('stacks name the tool', async () => {
  const result = await runTool(runner, {
    sourceCode: "import 'esm'\nexport const tool = () => { throw new Error('here') }",
    packages,
  })
  expect(result.stderr.join('\n')).toBe('Error: here\n    at tool (tool.ts:2:35)')
})

test('a comma would allow another folder, so it is refused', async () => {
  const comma = join(root, 'a,b')
  mkdirSync(comma)
  const call = { sourceCode: 'export const tool = () => 1', packages: comma }
  await expect(runTool(runner, call)).rejects.toThrow('has a comma in its name')
})

test('links out of the folder are refused, links inside of it followed', async () => {
  const folder = join(root, 'links')
  mkdirSync(join(folder, 'node_modules/a'), { recursive: true })
  writeFileSync(join(folder, 'node_modules/a/index.js'), 'module.exports = 5')
  writeFileSync(join(folder, 'node_modules/a/package.json'), '{"name":"a"}')
  symlinkSync('a', join(folder, 'node_modules/b'))
  const sourceCode = "import a from 'b'\nexport const tool = () => a"
  expect(await runTool(runner, { sourceCode, packages: folder })).toMatchObject({ status: 'success', text: '5' })
  const linked = join(root, 'linked out')
  mkdirSync(linked)
  symlinkSync(outside, join(linked, 'node_modules'))
  await expect(runTool(runner, { sourceCode, packages: linked })).rejects.toThrow('a link out of the folder')
})

test('nothing outside of the folder can be read, also not as a package of somewhere else', async () => {
  const ways = [
    `Deno.readTextFileSync('${outside}/secret.txt')`,
    `Deno.readTextFileSync('/etc/passwd')`,
    `Deno.readTextFileSync('${packages}/../outside/secret.txt')`,
    `(await import('file://${outside}/node_modules/evil/index.js')).default`,
    `(await import('node:module')).createRequire('file://${outside}/x.js')('evil')`,
    `(await import('node:module')).createRequire('file://${outside}/x.js')('evil/package.json').secret`,
    `(await import('node:module')).createRequire('file://${outside}/x.js')('${outside}/node_modules/evil/index.js')`,
    `(await import('node:fs')).readFileSync('${outside}/node_modules/evil/index.js', 'utf8')`,
    `(await import('npm:evil')).default`,
    `Deno.writeTextFileSync('${packages}/written', 'x') ?? 'SECRET'`,
  ]
  for (const way of ways) {
    const said = await textOf(`export const tool = async () => ${way}`)
    expect(said, way).not.toContain('SECRET')
    expect(said, way).toMatch(
      /NotCapable|Requires \w+ access|ERR_MODULE_NOT_FOUND|Cannot find module|Could not find|not allowed|npm/i,
    )
  }
})
