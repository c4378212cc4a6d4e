import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { seedTurn } from '../support/seed.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
  const { db } = server.context
  const tag = statement('test-tag-agent', 'insert into agent_tags (organization_id, agent_id, tag) values ($1, $2, $3)')
  for (const organizationId of [DEFAULT_ORGANIZATION_ID, 'org-other']) {
    const agents = [await seedTurn(db, organizationId), await seedTurn(db, organizationId)]
    for (const { agentId } of agents) {
      for (const name of organizationId === 'org-other' ? ['secret'] : ['alpha', 'Beta', 'both']) {
        await db.query(tag, [organizationId, agentId, name])
      }
    }
  }
  for (const tags of [
    ['both', 'gamma'],
    ['100%', 'gamma'],
  ]) {
    await server.request('POST', '/v1/blocks/', { label: 'a', value: '', tags })
  }
})
afterAll(() => server.close())

test.each<[string, string[]]>([
  ['', ['100%', 'Beta', 'alpha', 'both', 'gamma']],
  ['order=desc', ['gamma', 'both', 'alpha', 'Beta', '100%']],
  ['limit=2', ['100%', 'Beta']],
  ['after=Beta', ['alpha', 'both', 'gamma']],
  ['after=b', ['both', 'gamma']],
  ['before=both&limit=2', ['Beta', 'alpha']],
  ['order=desc&after=both', ['alpha', 'Beta', '100%']],
  ['order=desc&before=both', ['gamma']],
  ['name=ET', ['Beta']],
  ['name=%25', ['100%']],
  ['query_text=bo', ['both']],
  ['name=secret', []],
])('%s', async (query, expected) => {
  expect((await server.request<string[]>('GET', `/v1/tags/?${query}`)).body).toEqual(expected)
})

test.each(['limit=0', 'order=up', 'order_by=created_at'])('%s is refused', async (query) => {
  expect((await server.request('GET', `/v1/tags/?${query}`)).status).toBe(422)
})

test('the official client lists them', async () => {
  expect(await (await server.sdk()).tags.list({ limit: 1 })).toEqual(['100%'])
})
