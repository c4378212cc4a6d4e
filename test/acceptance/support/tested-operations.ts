import { readdirSync, readFileSync } from 'node:fs'

const TESTS = new URL('../', import.meta.url)

/** The operations of the official client that an acceptance test drives; `operation` fails where one does not call what it names. */
export function listTestedOperations(): Set<string> {
  const tested = new Set<string>()
  for (const file of readdirSync(TESTS).filter((name) => name.endsWith('.test.ts'))) {
    const text = readFileSync(new URL(file, TESTS), 'utf8')
    for (const [, name = ''] of text.matchAll(/\boperation\(\s*\w+,\s*['"`]([\w.]+)['"`]/g)) tested.add(name)
  }
  return tested
}
