import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Builds the template of the embedded database once, before workers copy it; also where vitest is called by hand. */
export function setup(): void {
  const script = fileURLToPath(new URL('../../scripts/build-template.ts', import.meta.url))
  execFileSync(process.execPath, [script], { stdio: 'inherit' })
}
