import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDemoModel } from '#llm/demo-model.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { testModelRegistry } from '../support/test-models.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const demo = createDemoModel()
const demoOnly = testModelRegistry((request) => demo.stream(request), [demo.info])
const LOCAL = { host: 'localhost:8283' }

let server: TestServer
let locked: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: demoOnly })
  locked = await startTestServer({ db: server.context.db, models: demoOnly, config: { apiKey: 'sesame' } })
})
afterAll(async () => {
  await locked.close()
  await server.close()
})

async function page(from: TestServer, headers: Record<string, string> = LOCAL): Promise<string> {
  const { status, body } = await from.request<string>('GET', '/', undefined, headers)
  expect(status).toBe(200)
  return body
}

/** The page of a server with this registry; only the registry differs. */
async function pageWith(models: Partial<ModelRegistry>): Promise<string> {
  const other = await startTestServer({ db: server.context.db, models: { ...demoOnly, ...models } })
  try {
    return await page(other)
  } finally {
    await other.close()
  }
}

/** A snippet as a reader would copy it. */
function copySnippet(html: string, id: string): string {
  const code = new RegExp(`<code id="${id}-code">(.*?)</code>`, 's').exec(html)?.[1] ?? ''
  const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', '#39': "'", amp: '&' }
  return code.replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) => entities[name] ?? '')
}

describe('what it shows', () => {
  it('is one page without a request to anywhere', async () => {
    const { body, headers } = await server.request<string>('GET', '/', undefined, LOCAL)
    expect(headers['content-type']).toBe('text/html; charset=utf-8')
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; style-src 'sha256-\S+'; base-uri 'none'/)
    expect(body).not.toMatch(/<(script|img|link|iframe|form)|@import|url\(|style=/)
    for (const text of ['Perdure', '0.1.0', 'perdure/demo', 'OPENAI_API_KEY', 'href="/openapi.json"', 'href="/health"'])
      expect(body).toContain(text)
    expect(body).toContain(server.context.db.engine === 'pglite' ? 'PGlite, embedded' : 'PostgreSQL')
    expect((await server.request('GET', '/openapi.json')).body).toMatchObject({ openapi: '3.1.0' })
  })

  it('writes its examples for the address that was asked for, and believes no odd one', async () => {
    expect(await page(server, { host: 'perdure.example:9000' })).toContain('curl -s http://perdure.example:9000/v1/')
    expect(await page(server, { host: 'x.example', 'x-forwarded-proto': 'https' })).toContain('https://x.example/v1/')
    for (const host of ['"><script>', 'a b', '$(reboot)', "x';reboot;'", 'x:1/;y']) {
      const body = await page(server, { host })
      expect(body).toContain('http://127.0.0.1:')
      expect(body).not.toContain(host)
    }
  })

  it('lists models, first some of them, and escapes their names', async () => {
    const [model] = await testModelRegistry().listModels(null)
    if (model === undefined) throw new Error('no model')
    const handles = Array.from({ length: 15 }, (_, index) => `lab/<b>'${index}`)
    const body = await pageWith({ listModels: async () => handles.map((handle) => ({ ...model, handle })) })
    expect(body).toContain('<code>lab/&lt;b&gt;&#39;0</code>')
    expect(body).toContain('<summary>3 more</summary>')
    expect(body).not.toContain('<b>')
    expect(body).not.toContain('OPENAI_API_KEY')
    expect(copySnippet(body, 'curl')).toContain(`"model":"lab/<b>'\\''0"`)
  })

  it('does not wait for slow providers, and survives those that fail', async () => {
    const startedAt = performance.now()
    expect(await pageWith({ listModels: () => new Promise(() => {}) })).toContain('Asking providers…')
    expect(performance.now() - startedAt).toBeLessThan(10_000)
    expect(await pageWith({ listModels: () => Promise.reject(new Error('no')) })).toContain('could not be asked')
  })

  it('tells models and settings only to those who may call', async () => {
    const hidden = await page(locked)
    expect(hidden).toContain('Shown to those who send the key.')
    expect(hidden).not.toContain('<ul class="models">')
    expect(hidden).not.toContain('sesame')
    expect(await page(locked, { ...LOCAL, authorization: 'Bearer sesame' })).toContain('<ul class="models">')
    // a page of another name that was made to point here
    expect(await page(server, { host: 'evil.example' })).not.toContain('<ul class="models">')
  })
})

describe('the examples work as they stand', () => {
  it.each([
    ['without a key', () => server, {}],
    ['with a key', () => locked, { PERDURE_API_KEY: 'sesame' }],
  ])('curl, %s', async (_name, get, env) => {
    const url = await get().baseUrl()
    const script = copySnippet(await (await fetch(url)).text(), 'curl')
    expect(script).toContain(url)
    const { stdout } = await run('sh', ['-c', script], { env: { PATH: process.env.PATH, ...env } })
    expect(stdout).toMatch(/"message_type":"assistant_message".*"value":"[^"]*Nils/s)
  })

  it('TypeScript', async () => {
    const code = copySnippet(await (await fetch(await locked.baseUrl())).text(), 'typescript')
    const folder = await mkdtemp(join(tmpdir(), 'perdure-snippet-'))
    try {
      await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
      await writeFile(join(folder, 'snippet.mts'), code)
      const { stdout } = await run(process.execPath, ['snippet.mts'], {
        cwd: folder,
        env: { PERDURE_API_KEY: 'sesame' },
      })
      expect(stdout).toMatch(/\S+\nIt keeps: .*Nils/s)
    } finally {
      await rm(folder, { recursive: true })
    }
  })
})
