import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compareDocuments, type OpenApi, operationIds } from './wire/compare-documents.ts'
import { addDifferences, type ReviewedDifferences, reviewDifferences } from './wire/reviewed-differences.ts'

// Holds openapi.json against the document of V1: whatever a program for V1 would miss must stand in docs/wire-differences.json,
// with a reason. With --write what is new is added there (reason TODO, to be replaced) and what is stale removed. With --all every
// difference is printed.
const path = (relative: string): string => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const v1Path = process.env.PERDURE_V1_OPENAPI ?? path('../shared/openapi-v1.json')
const listPath = path('docs/wire-differences.json')

if (existsSync(v1Path)) check()
else console.log(`The wire was not compared with V1: ${v1Path} does not exist (PERDURE_V1_OPENAPI).`)

function check(): void {
  const v1 = readJson<OpenApi>(v1Path)
  const differences = compareDocuments(v1, readJson<OpenApi>(path('openapi.json')))
  const reviewed = existsSync(listPath) ? readJson<ReviewedDifferences[]>(listPath) : []
  if (process.argv.includes('--all')) console.log(differences.join('\n'))
  if (process.argv.includes('--write')) {
    const next = addDifferences(differences, reviewed, operationIds(v1))
    writeFileSync(listPath, `${JSON.stringify(next, null, 2)}\n`)
    console.log(`wrote ${listPath}`)
    return
  }
  const { unknown, stale, unreviewed } = reviewDifferences(differences, reviewed)
  report('not in docs/wire-differences.json (npm run check-wire -- --write adds them)', unknown)
  report('in docs/wire-differences.json, but not different any more', stale)
  report('without a reason in docs/wire-differences.json', unreviewed)
  if (unknown.length + stale.length + unreviewed.length > 0) process.exitCode = 1
  else console.log(`${differences.length} differences from V1, each with its reason in docs/wire-differences.json`)
}

function report(title: string, lines: readonly string[]): void {
  if (lines.length > 0) console.error(`${lines.length} ${title}:\n${lines.map((line) => `  ${line}`).join('\n')}`)
}

function readJson<Value>(file: string): Value {
  return JSON.parse(readFileSync(file, 'utf8')) as Value
}
