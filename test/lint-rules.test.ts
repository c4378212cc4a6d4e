import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

/** One violation of each rule, by the path where it is planted: what stands in the file and the rule that must speak. */
const PLANTED: Record<string, { code: string; rule: string | null }> = {
  'src/memory/cycle-a.ts': {
    code: `import { b } from './cycle-b.ts'\nexport const a = () => b\n`,
    rule: 'noImportCycles',
  },
  'src/memory/cycle-b.ts': {
    code: `import { a } from './cycle-a.ts'\nexport const b = () => a\n`,
    rule: 'noImportCycles',
  },
  'src/memory/any.ts': { code: 'export const value: any = 1\n', rule: 'noExplicitAny' },
  'src/memory/default-export.ts': { code: 'export default function run() {}\n', rule: 'noDefaultExport' },
  'src/memory/barrel.ts': { code: `export * from './target.ts'\n`, rule: 'noBarrelFile' },
  'src/memory/environment.ts': { code: 'export const home = process.env.HOME\n', rule: 'noProcessEnv' },
  'src/memory/unused-import.ts': { code: `import { target } from './target.ts'\n`, rule: 'noUnusedImports' },
  'src/memory/unused-variable.ts': { code: 'const left = 1\nexport const right = 2\n', rule: 'noUnusedVariables' },
  'src/memory/protocol.ts': {
    code: `import { join } from 'path'\nexport const p = join\n`,
    rule: 'useNodejsImportProtocol',
  },
  'src/memory/floating.ts': {
    code: 'async function work(): Promise<void> {}\nexport function start(): void {\n  work()\n}\n',
    rule: 'noFloatingPromises',
  },
  'src/memory/misused.ts': {
    code: 'async function isReady(): Promise<boolean> {\n  return true\n}\nexport function start(): number {\n  if (isReady()) return 1\n  return 2\n}\n',
    rule: 'noMisusedPromises',
  },
  'src/memory/enum.ts': { code: 'export enum Level {\n  Low,\n}\n', rule: 'noEnum' },
  'src/memory/parameter-property.ts': {
    code: 'export class Box {\n  constructor(readonly value: number) {}\n}\n',
    rule: 'noParameterProperties',
  },
  'src/memory/CamelCase.ts': { code: 'export const name = 1\n', rule: 'useFilenamingConvention' },
  'src/memory/blocks/parent.ts': { code: uses('../target.ts'), rule: 'noRestrictedImports' },
  'src/memory/blocks/grandparent.ts': { code: uses('../../store/target.ts'), rule: 'noRestrictedImports' },

  // the same import, up and down, for every arrow of the layers
  'src/platform/up.ts': { code: uses('#store/target.ts'), rule: 'noRestrictedImports' },
  'src/llm/up.ts': { code: uses('#store/target.ts'), rule: 'noRestrictedImports' },
  'src/store/up.ts': { code: uses('#memory/target.ts'), rule: 'noRestrictedImports' },
  'src/memory/up.ts': { code: uses('#tools/target.ts'), rule: 'noRestrictedImports' },
  'src/memory/sideways.ts': { code: uses('#runs/target.ts'), rule: 'noRestrictedImports' },
  'src/runs/up.ts': { code: uses('#agent/target.ts'), rule: 'noRestrictedImports' },
  'src/govern/up.ts': { code: uses('#http/target.ts'), rule: 'noRestrictedImports' },
  'src/tools/up.ts': { code: uses('#agent/deep/target.ts'), rule: 'noRestrictedImports' },
  'src/agent/up.ts': { code: uses('#http/v1/agents/target.ts'), rule: 'noRestrictedImports' },
  'src/agent/context.ts': { code: uses('#context.ts'), rule: 'noRestrictedImports' },
  'src/agent/config.ts': { code: uses('#config/config.ts'), rule: 'noRestrictedImports' },
  'src/agent/later.ts': { code: `export const later = () => import('#http/target.ts')\n`, rule: 'noRestrictedImports' },
  'src/agent/type.ts': {
    code: `import type { Target } from '#http/target.ts'\nexport type Alias = Target\n`,
    rule: 'noRestrictedImports',
  },
  'src/http/up.ts': { code: uses('#server.ts'), rule: 'noRestrictedImports' },
  'src/http/config.ts': { code: uses('#config/config.ts'), rule: 'noRestrictedImports' },
  'src/jobs/sideways.ts': { code: uses('#http/target.ts'), rule: 'noRestrictedImports' },
  'src/jobs/context.ts': { code: uses('#context.ts'), rule: 'noRestrictedImports' },
  'src/cli/sideways.ts': { code: uses('#http/target.ts'), rule: 'noRestrictedImports' },
  'src/config/up.ts': { code: uses('#store/target.ts'), rule: 'noRestrictedImports' },
  'src/context.ts': { code: uses('#http/target.ts'), rule: 'noRestrictedImports' },
  'src/server.ts': { code: uses('#agent/target.ts'), rule: 'noRestrictedImports' },
  'src/main.ts': { code: uses('#agent/target.ts'), rule: 'noRestrictedImports' },
  'src/platform/same.ts': { code: uses('#platform/deep/target.ts'), rule: null },
  'src/store/down.ts': { code: uses('#platform/target.ts'), rule: null },
  'src/store/library.ts': { code: uses('kysely'), rule: null },
  'src/memory/down.ts': { code: uses('#store/blocks/target.ts'), rule: null },
  'src/tools/down.ts': { code: uses('#memory/target.ts'), rule: null },
  'src/agent/down.ts': { code: uses('#runs/target.ts'), rule: null },
  'src/jobs/down.ts': { code: uses('#agent/target.ts'), rule: null },
  'src/http/down.ts': { code: uses('#store/target.ts'), rule: null },
  'src/http/context.ts': { code: uses('#context.ts'), rule: null },
  'src/cli/config.ts': { code: uses('#config/config.ts'), rule: null },
  'src/cli/server.ts': { code: uses('#server.ts'), rule: null },
  'src/config/environment.ts': { code: 'export const home = process.env.HOME\n', rule: null },
  'vitest.config.ts': { code: 'export default { test: {} }\n', rule: null },
}

interface Report {
  diagnostics: { category: string; severity: string; location: { path: string | { file: string } } }[]
}

const root = fileURLToPath(new URL('..', import.meta.url))
const reported = new Map<string, string[]>()
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'perdure-lint-'))
  const settings = JSON.parse(await readFile(join(root, 'biome.json'), 'utf8')) as Record<string, unknown>
  await write('biome.json', JSON.stringify({ ...settings, $schema: undefined, vcs: undefined }))
  await write('package.json', JSON.stringify({ type: 'module', imports: { '#*': './src/*' } }))
  await write('src/memory/target.ts', 'export const target = 1\n')
  for (const [path, { code }] of Object.entries(PLANTED)) await write(path, code)
  for (const { category, location } of (await lint()).diagnostics) {
    const path = typeof location.path === 'string' ? location.path : location.path.file
    reported.set(path, [...(reported.get(path) ?? []), category.split('/').at(-1) ?? ''])
  }
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.each(Object.entries(PLANTED))('%s', (path, { rule }) => {
  if (rule === null) expect(reported.get(path)).toBeUndefined()
  else expect(reported.get(path)).toContain(rule)
})

function uses(specifier: string): string {
  return `import { target } from '${specifier}'\nexport const used = target\n`
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

/** Only errors: what `npm run check` fails for. */
function lint(): Promise<Report> {
  const biome = join(root, 'node_modules/.bin/biome')
  const args = ['lint', '--reporter=json', '--diagnostic-level=error', '--max-diagnostics=none', '.']
  return new Promise((resolve, reject) => {
    execFile(biome, args, { cwd: folder, maxBuffer: 64 * 1024 * 1024 }, (_error, stdout, stderr) => {
      try {
        resolve(JSON.parse(stdout) as Report)
      } catch {
        reject(new Error(`biome gave no report: ${stderr}`))
      }
    })
  })
}
