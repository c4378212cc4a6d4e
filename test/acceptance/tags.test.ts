import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

operation(server, 'tags.list', 'gives the tags of agents in order', async (client) => {
  await client.agents.create({ model: MODEL, tags: ['zebra', 'ant'] })
  const items = await client.tags.list()
  expect(items).toEqual(expect.arrayContaining(['ant', 'zebra']))
  expect(items.indexOf('ant')).toBeLessThan(items.indexOf('zebra'))
})

operation(server, 'health', 'says which version answers', async (client) => {
  const health = await client.health()
  expect(health.status).toBe('ok')
  expect(health.version).toMatch(/^\d+\./)
})
