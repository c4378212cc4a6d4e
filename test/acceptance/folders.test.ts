import { type Letta, toFile } from '@letta-ai/letta-client'
import { expect } from 'vitest'
import { MODEL, operation, useServer } from './support/operation.ts'

const server = useServer()
const UNKNOWN = 'source-01234567-89ab-4def-8123-456789abcdef'

let number = 0
const newFolder = (client: Letta) => client.folders.create({ name: `folder ${Date.now()} ${++number}` })
async function upload(client: Letta, folderId: string, name: string, text = `text of ${name}`) {
  const file = await toFile(Buffer.from(text), name, { type: 'text/plain' })
  return client.folders.files.upload(folderId, { file })
}

/** An agent that has a folder with the files a.txt, b.txt and c.txt, and may have two of them open. */
async function agentWithFiles(client: Letta) {
  const folder = await newFolder(client)
  const files = []
  for (const name of ['a.txt', 'b.txt', 'c.txt']) files.push((await upload(client, folder.id, name)).id)
  const agent = await client.agents.create({ model: MODEL, max_files_open: 2 })
  await client.agents.folders.attach(folder.id, { agent_id: agent.id })
  return { agentId: agent.id, folder, files }
}
const openNames = async (client: Letta, agentId: string) =>
  (await client.agents.files.list(agentId, { is_open: true, order: 'asc' })).files.map((file) => file.file_name)

operation(server, 'folders.create', 'makes one of a name, once', async (client) => {
  const folder = await client.folders.create({ name: `Handbook ${Date.now()}`, instructions: 'Look here first.' })
  expect(folder.id).toMatch(/^source-/)
  expect(folder.instructions).toBe('Look here first.')
  await expect(client.folders.create({ name: folder.name })).rejects.toMatchObject({ status: 409 })
})

operation(server, 'folders.retrieve', 'gives it again, and 404 for an unknown one', async (client) => {
  const folder = await newFolder(client)
  expect(await client.folders.retrieve(folder.id)).toEqual(folder)
  await expect(client.folders.retrieve(UNKNOWN)).rejects.toMatchObject({ status: 404 })
})

operation(server, 'folders.update', 'changes what is said of it', async (client) => {
  const { id } = await newFolder(client)
  const changed = await client.folders.update(id, { description: 'new', metadata: { a: [1] } })
  expect(changed).toMatchObject({ id, description: 'new', metadata: { a: [1] } })
})

operation(server, 'folders.list', 'oldest first, page after page, and by name', async (client) => {
  const made = [await newFolder(client), await newFolder(client), await newFolder(client)].map((folder) => folder.id)
  const listed: string[] = []
  for await (const folder of client.folders.list({ limit: 2 })) listed.push(folder.id)
  expect(listed.filter((id) => made.includes(id))).toEqual(made)
  const folder = await client.folders.retrieve(made[0] ?? '')
  expect((await client.folders.list({ name: folder.name })).items).toEqual([folder])
})

operation(server, 'folders.delete', 'deletes it with its files, also from agents', async (client) => {
  const { agentId, folder } = await agentWithFiles(client)
  expect(await client.folders.delete(folder.id)).toBeNull()
  await expect(client.folders.retrieve(folder.id)).rejects.toMatchObject({ status: 404 })
  expect((await client.agents.files.list(agentId)).files).toEqual([])
})

operation(server, 'folders.files.upload', 'reads the file at once, and finds a name for it', async (client) => {
  const folder = await newFolder(client)
  const file = await upload(client, folder.id, 'notes.md', '# Notes\n\nFirst.')
  expect(file).toMatchObject({
    source_id: folder.id,
    file_name: `${folder.name}/notes.md`,
    original_file_name: 'notes.md',
    processing_status: 'completed',
    file_size: 15,
  })
  expect((await upload(client, folder.id, 'notes.md')).file_name).toBe(`${folder.name}/notes_(1).md`)
  const again = await toFile(Buffer.from('x'), 'notes.md')
  const skipped = await client.folders.files
    .upload(folder.id, { file: again, duplicate_handling: 'skip' })
    .withResponse()
  expect(skipped.data.id).toBe(file.id)
  expect(skipped.response.headers.get('x-upload-result')).toBe('skipped')
  const picture = await toFile(Buffer.alloc(3_000_000), 'a.png', { type: 'image/png' })
  await expect(client.folders.files.upload(folder.id, { file: picture })).rejects.toMatchObject({ status: 415 })
})

operation(server, 'folders.files.list', 'newest first, page after page, with the text when asked', async (client) => {
  const folder = await newFolder(client)
  const made: string[] = []
  for (const name of ['a.txt', 'b.txt', 'c.txt']) made.push((await upload(client, folder.id, name)).id)
  const listed: string[] = []
  for await (const file of client.folders.files.list(folder.id, { limit: 2 })) listed.push(file.id)
  expect(listed).toEqual(made.toReversed())
  const [last] = (await client.folders.files.list(folder.id, { include_content: true })).items
  expect(last?.content).toBe('text of c.txt')
})

operation(server, 'folders.files.retrieve', 'gives the file, with its text when asked', async (client) => {
  const folder = await newFolder(client)
  const { id } = await upload(client, folder.id, 'a.txt')
  expect((await client.folders.files.retrieve(id, { folder_id: folder.id })).content).toBeNull()
  const whole = await client.folders.files.retrieve(id, { folder_id: folder.id, include_content: true })
  expect(whole.content).toBe('text of a.txt')
})

operation(server, 'folders.files.delete', 'deletes one', async (client) => {
  const folder = await newFolder(client)
  const { id } = await upload(client, folder.id, 'a.txt')
  await client.folders.files.delete(id, { folder_id: folder.id })
  expect((await client.folders.files.list(folder.id)).items).toEqual([])
})

operation(server, 'folders.agents.list', 'gives the ids of its agents', async (client) => {
  const { agentId, folder } = await agentWithFiles(client)
  expect(await client.folders.agents.list(folder.id)).toEqual([agentId])
})

operation(server, 'agents.folders.attach', 'opens files, and brings the tools to read them', async (client) => {
  const folder = await newFolder(client)
  await upload(client, folder.id, 'a.txt', 'the treasure is under the tree')
  const agent = await client.agents.create({ model: MODEL })
  expect(await client.agents.folders.attach(folder.id, { agent_id: agent.id })).toBeNull()
  const { tools, sources } = await client.agents.retrieve(agent.id, { include: ['agent.tools', 'agent.sources'] })
  expect(tools.map((tool) => tool.name)).toEqual(
    expect.arrayContaining(['open_files', 'grep_files', 'semantic_search_files']),
  )
  expect(sources.map((source) => source.id)).toEqual([folder.id])
  const [system] = (await client.agents.messages.list(agent.id, { order: 'asc', limit: 1 })).items
  expect(JSON.stringify(system)).toContain('1: the treasure is under the tree')
})

operation(server, 'agents.folders.detach', 'takes files and tools again', async (client) => {
  const { agentId, folder } = await agentWithFiles(client)
  expect(await client.agents.folders.detach(folder.id, { agent_id: agentId })).toBeNull()
  const names = (await client.agents.tools.list(agentId, { limit: 50 })).items.map((tool) => tool.name)
  expect(names).not.toContain('open_files')
  expect((await client.agents.files.list(agentId)).files).toEqual([])
})

operation(server, 'agents.folders.list', 'gives the folders of an agent', async (client) => {
  const { agentId, folder } = await agentWithFiles(client)
  expect((await client.agents.folders.list(agentId)).items).toMatchObject([{ id: folder.id, name: folder.name }])
})

operation(server, 'agents.files.list', 'gives what is open, and everything page after page', async (client) => {
  const { agentId, folder, files } = await agentWithFiles(client)
  expect(await openNames(client, agentId)).toEqual([`${folder.name}/a.txt`, `${folder.name}/b.txt`])
  const listed: string[] = []
  for await (const file of client.agents.files.list(agentId, { limit: 2 })) listed.push(file.file_id)
  expect(listed).toEqual(files.toReversed())
})

operation(server, 'agents.files.open', 'closes what was not used for the longest time', async (client) => {
  const { agentId, folder, files } = await agentWithFiles(client)
  const closed = await client.agents.files.open(files[2] ?? '', { agent_id: agentId })
  expect(closed).toEqual([`${folder.name}/a.txt`])
  expect(await openNames(client, agentId)).toEqual([`${folder.name}/b.txt`, `${folder.name}/c.txt`])
})

operation(server, 'agents.files.close', 'closes one', async (client) => {
  const { agentId, folder, files } = await agentWithFiles(client)
  await client.agents.files.close(files[0] ?? '', { agent_id: agentId })
  expect(await openNames(client, agentId)).toEqual([`${folder.name}/b.txt`])
})

operation(server, 'agents.files.closeAll', 'closes all, and names them', async (client) => {
  const { agentId, folder } = await agentWithFiles(client)
  expect(await client.agents.files.closeAll(agentId)).toEqual([`${folder.name}/a.txt`, `${folder.name}/b.txt`])
  expect(await openNames(client, agentId)).toEqual([])
})
