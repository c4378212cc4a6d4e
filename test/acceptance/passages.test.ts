import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()

operation(server, 'agents.passages.create', 'stores a passage, and answers with a list of one', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const stored = await client.agents.passages.create(agent.id, { text: 'Ada plays chess', tags: ['game'] })
  expect(stored).toMatchObject([{ text: 'Ada plays chess', tags: ['game'] }])
})

operation(server, 'agents.passages.list', 'gives them in the order of time', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  for (const text of ['first', 'second']) await client.agents.passages.create(agent.id, { text })
  const listed = await client.agents.passages.list(agent.id)
  expect(listed.map((passage) => passage.text)).toEqual(['first', 'second'])
  const searched = await client.agents.passages.list(agent.id, { search: 'ECON' })
  expect(searched.map((passage) => passage.text)).toEqual(['second'])
})

operation(server, 'agents.passages.search', 'finds words in any inflection, by tags', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  await client.agents.passages.create(agent.id, { text: 'Ada plays chess', tags: ['game'] })
  await client.agents.passages.create(agent.id, { text: 'Ada played the violin', tags: ['music'] })
  const found = await client.agents.passages.search(agent.id, { query: 'playing' })
  expect(found.count).toBe(2)
  const music = await client.agents.passages.search(agent.id, { query: 'playing', tags: ['music'] })
  expect(music.results).toMatchObject([{ content: 'Ada played the violin', tags: ['music'] }])
})

operation(server, 'agents.passages.delete', 'deletes one', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const [passage] = await client.agents.passages.create(agent.id, { text: 'for a moment' })
  await client.agents.passages.delete(passage?.id ?? '', { agent_id: agent.id })
  expect(await client.agents.passages.list(agent.id)).toEqual([])
})

operation(server, 'passages.search', 'in one archive, in one agent, everywhere', async (client) => {
  const agent = await client.agents.create({ model: MODEL })
  const { id } = await client.archives.create({ name: 'Zoo' })
  const word = `zebra${Date.now()}`
  await client.archives.passages.createMany(id, {
    passages: [
      { text: `the ${word} is striped`, tags: ['a', 'b'] },
      { text: `a ${word} runs`, tags: ['a'] },
    ],
  })
  await client.agents.passages.create(agent.id, { text: `no ${word} here` })
  expect(await client.passages.search({ query: word })).toHaveLength(3)
  expect(await client.passages.search({ query: word, agent_id: agent.id })).toHaveLength(1)
  const found = await client.passages.search({ query: word, archive_id: id, tags: ['a', 'b'], tag_match_mode: 'all' })
  expect(found).toMatchObject([{ passage: { text: `the ${word} is striped`, archive_id: id }, metadata: {} }])
  expect(found[0]?.score).toBeGreaterThan(0)
})
