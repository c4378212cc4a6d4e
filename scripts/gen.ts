import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '#config/config.ts'
import { configurationPage } from '#config/configuration-page.ts'
import type { Context } from '#context.ts'
import { openApiDocument } from '#http/openapi.ts'
import { createLogger } from '#platform/logger.ts'
import { Shutdown } from '#platform/shutdown.ts'
import { buildServer } from '#server.ts'
import { compatibilityPage } from './compatibility-page.ts'

// Writes the files that come from code. With --check it writes nothing and fails where one of them is not up to date.
const isCheck = process.argv.includes('--check')
const files: Record<string, string> = {
  'docs/compatibility.md': await compatibilityPage(),
  'docs/configuration.md': configurationPage(),
  'openapi.json': `${JSON.stringify(await describeRoutes(), null, 2)}\n`,
}

const stale: string[] = []
for (const [path, text] of Object.entries(files)) {
  const target = fileURLToPath(new URL(`../${path}`, import.meta.url))
  if (existsSync(target) && readFileSync(target, 'utf8') === text) continue
  stale.push(path)
  if (isCheck) continue
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, text)
  console.log(`wrote ${path}`)
}
if (isCheck && stale.length > 0) {
  console.error(`${stale.join(', ')}: not up to date. Run: npm run gen`)
  process.exitCode = 1
}

/** Registers all routes, which uses nothing of the context but its settings, its logger and the signals of its end. */
async function describeRoutes(): Promise<object> {
  const context: Partial<Context> = {
    config: loadConfig({ env: {} }),
    logger: createLogger({ level: 'silent', format: 'json' }),
    shutdown: new Shutdown(),
  }
  const app = await buildServer(context as Context)
  try {
    return await openApiDocument(app)
  } finally {
    await app.close()
  }
}
