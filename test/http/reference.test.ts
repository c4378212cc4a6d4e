import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
let baseUrl: string
beforeAll(async () => {
  server = await startTestServer({ config: { apiKey: 'the key' } })
  baseUrl = await server.baseUrl()
})
afterAll(() => server.close())

/** What a page asks for as soon as it is there. */
const loadedBy = (html: string): string[] => [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, url = '']) => url)

it.each(['/docs', '/docs/'])('%s shows the reference to anyone, from this server alone', async (path) => {
  const response = await fetch(`${baseUrl}${path}`)
  const html = await response.text()
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect(html).toContain('Perdure API')
  const policy = response.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toMatch(/https?:|\*/)
  const urls = loadedBy(html)
  expect(urls.length).toBeGreaterThan(3)
  for (const url of urls) {
    const target = new URL(url, response.url)
    expect(target.origin).toBe(baseUrl)
    const file = await fetch(target)
    expect(file.status, url).toBe(200)
    expect(file.headers.get('x-content-type-options')).toBe('nosniff')
    await file.arrayBuffer()
  }
  expect(html).not.toMatch(/<script(?![^>]*src=)[^>]*>\s*\S/)
})

it('has the document of this server in it, and asks nobody whether it is valid', async () => {
  const script = await (await fetch(`${baseUrl}/docs/static/swagger-initializer.js`)).text()
  expect(script).toContain('"validatorUrl":null')
  const document = (await (await fetch(`${baseUrl}/docs/json`)).json()) as { paths: Record<string, object> }
  expect(document).toEqual(server.app.swagger())
  expect(document.paths).toHaveProperty('/v1/agents/{agent_id}/messages')
})

it('is linked from the landing page, and serves nothing else', async () => {
  expect(await (await fetch(`${baseUrl}/`)).text()).toContain('href="/docs"')
  for (const path of ['/docs/nothing', '/docs/static/..%2f..%2fpackage.json', '/docs/static/nothing.js']) {
    expect((await fetch(`${baseUrl}${path}`)).status, path).toBe(404)
  }
})
