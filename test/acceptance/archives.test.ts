import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'archive-01234567-89ab-4def-8123-456789abcdef'

operation(server, 'archives.create', 'gives the archive with its defaults', async (client) => {
  const archive = await client.archives.create({ name: 'Facts', description: 'what is known' })
  expect(archive).toMatchObject({ name: 'Facts', description: 'what is known', vector_db_provider: 'native' })
  expect(archive.id).toMatch(/^archive-/)
})

operation(server, 'archives.retrieve', 'gives it again, and 404 for an unknown one', async (client) => {
  const archive = await client.archives.create({ name: 'Facts' })
  expect(await client.archives.retrieve(archive.id)).toEqual(archive)
  await expect(client.archives.retrieve(UNKNOWN)).rejects.toMatchObject({ status: 404 })
})

operation(server, 'archives.update', 'changes name and description', async (client) => {
  const { id } = await client.archives.create({ name: 'Facts' })
  expect(await client.archives.update(id, { name: 'Truths', description: 'checked' })).toMatchObject({
    name: 'Truths',
    description: 'checked',
  })
})

operation(server, 'archives.list', 'by name and by agent, page after page', async (client) => {
  const ids: string[] = []
  for (let index = 0; index < 3; index += 1) ids.push((await client.archives.create({ name: 'listed' })).id)
  const listed: string[] = []
  for await (const archive of client.archives.list({ name: 'listed', limit: 2 })) listed.push(archive.id)
  expect(listed).toEqual(ids.toReversed())
  const agent = await client.agents.create({ model: MODEL })
  await client.agents.passages.create(agent.id, { text: 'the first' })
  const [own] = (await client.archives.list({ agent_id: agent.id })).items
  expect(own).toMatchObject({ name: `${agent.name}'s Archive`, description: 'Default archive created automatically' })
})

operation(server, 'archives.delete', 'deletes it for good', async (client) => {
  const { id } = await client.archives.create({ name: 'Facts' })
  await client.archives.delete(id)
  await expect(client.archives.retrieve(id)).rejects.toMatchObject({ status: 404 })
})

operation(server, 'archives.passages.create', 'stores one passage', async (client) => {
  const { id } = await client.archives.create({ name: 'Facts' })
  const passage = await client.archives.passages.create(id, { text: 'Nils sails', tags: ['boat'], metadata: { a: 1 } })
  expect(passage).toMatchObject({ archive_id: id, text: 'Nils sails', tags: ['boat'], metadata: { a: 1 } })
})

operation(server, 'archives.passages.createMany', 'stores all in their order, or none', async (client) => {
  const { id } = await client.archives.create({ name: 'Facts' })
  const passages = [{ text: 'one' }, { text: 'two', tags: ['t'] }, { text: 'three' }]
  const stored = await client.archives.passages.createMany(id, { passages })
  expect(stored.map((passage) => passage.text)).toEqual(['one', 'two', 'three'])
  const broken = client.archives.passages.createMany(id, { passages: [{ text: 'four' }, { text: '' }] })
  await expect(broken).rejects.toMatchObject({ status: 422 })
  expect(await client.passages.search({ archive_id: id })).toHaveLength(3)
})

operation(server, 'archives.passages.delete', 'deletes one passage', async (client) => {
  const { id } = await client.archives.create({ name: 'Facts' })
  const passage = await client.archives.passages.create(id, { text: 'Nils sails' })
  await client.archives.passages.delete(passage.id ?? '', { archive_id: id })
  expect(await client.passages.search({ archive_id: id })).toEqual([])
})

operation(server, 'agents.archives.attach', 'lets an agent search an archive, and no second one', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const { id } = await client.archives.create({ name: 'Shared' })
  await client.archives.passages.create(id, { text: 'the lighthouse is red' })
  expect(await client.agents.archives.attach(id, { agent_id: agent.id })).toBeNull()
  const found = await client.agents.passages.search(agent.id, { query: 'lighthouses' })
  expect(found.results.map((result) => result.content)).toEqual(['the lighthouse is red'])
  const other = await client.archives.create({ name: 'Second' })
  const second = client.agents.archives.attach(other.id, { agent_id: agent.id })
  await expect(second).rejects.toMatchObject({ status: 409 })
})

operation(server, 'agents.archives.detach', 'takes it away, and leaves the archive', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const { id } = await client.archives.create({ name: 'Shared' })
  await client.agents.archives.attach(id, { agent_id: agent.id })
  expect(await client.agents.archives.detach(id, { agent_id: agent.id })).toBeNull()
  expect((await client.archives.list({ agent_id: agent.id })).items).toEqual([])
  expect((await client.archives.retrieve(id)).id).toBe(id)
})
