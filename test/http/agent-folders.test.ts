import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { multipartFile } from '../support/multipart.ts'
import { createTestAgent } from '../support/test-agent.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface AgentFile {
  id: string
  file_id: string
  file_name: string
  is_open: boolean
  visible_content: string | null
  [field: string]: unknown
}
interface Agent {
  id: string
  tools: { name: string }[]
  sources: { id: string }[]
  max_files_open: number | null
  per_file_view_window_char_limit: number | null
}

let server: TestServer
let foreign: { headers: Record<string, string> }
beforeAll(async () => {
  server = await startTestServer()
  foreign = await server.addOrganization()
})
afterAll(() => server.close())

const FILE_TOOLS = ['open_files', 'grep_files', 'semantic_search_files']

let number = 0
/** A folder with these files; the text of a file is its name unless it is given. */
async function folderWith(
  ...files: (string | [string, string])[]
): Promise<{ id: string; name: string; files: string[] }> {
  number += 1
  const { body } = await server.request<{ id: string; name: string }>('POST', '/v1/folders', {
    name: `folder ${number}`,
  })
  const ids: string[] = []
  for (const file of files) {
    const [name, text] = typeof file === 'string' ? [file, `text of ${file}`] : file
    ids.push(await upload(body.id, name, text))
  }
  return { ...body, files: ids }
}
async function upload(folderId: string, name: string, text: string): Promise<string> {
  const form = multipartFile(name, text)
  const response = await server.request<{ id: string }>(
    'POST',
    `/v1/folders/${folderId}/upload`,
    form.payload,
    form.headers,
  )
  expect(response.status).toBe(200)
  return response.body.id
}
const newAgent = (input = {}) => createTestAgent(server.context.db, server.context.models, input)
const change = (agentId: string, path: string) => server.request('PATCH', `/v1/agents/${agentId}/${path}`)
const attach = (agentId: string, folderId: string) => change(agentId, `folders/attach/${folderId}`)
const detach = (agentId: string, folderId: string) => change(agentId, `folders/detach/${folderId}`)

const agentFiles = async (agentId: string, query = '') =>
  (await server.request<{ files: AgentFile[] }>('GET', `/v1/agents/${agentId}/files?order=asc&${query}`)).body.files
const openNames = async (agentId: string) =>
  (await agentFiles(agentId, 'is_open=true')).map((file) => file.file_name.split('/')[1])
const toolNames = async (agentId: string) =>
  (await server.request<{ name: string }[]>('GET', `/v1/agents/${agentId}/tools?limit=50`)).body.map(
    (tool) => tool.name,
  )
const readAgent = async (agentId: string) =>
  (await server.request<Agent>('GET', `/v1/agents/${agentId}?include=agent.sources&include=agent.tools`)).body
async function prompt(agentId: string): Promise<string> {
  const path = `/v1/agents/${agentId}/messages?limit=1&order=asc`
  const [system] = (await server.request<{ content: string }[]>('GET', path)).body
  return system?.content ?? ''
}

describe('folders of an agent', () => {
  test('attach opens the files, brings the tools and the section of the prompt', async () => {
    const folder = await folderWith(['a.txt', 'one\ntwo'], 'b.txt')
    const agentId = await newAgent()
    expect(await prompt(agentId)).not.toContain('<directories>')
    const attached = await attach(agentId, folder.id)
    expect([attached.status, attached.body]).toEqual([200, null])
    expect(await openNames(agentId)).toEqual(['a.txt', 'b.txt'])
    expect(await toolNames(agentId)).toEqual(expect.arrayContaining(FILE_TOOLS))
    expect(await prompt(agentId)).toContain(`<directories>
<file_limits>
- current_files_open=2
- max_files_open=10
</file_limits>
<directory name="${folder.name}">
<file status="open" name="${folder.name}/a.txt">
<metadata>
- read_only=true
- chars_current=51
- chars_limit=25000
</metadata>
<value>
[Viewing file start (out of 2 lines)]
1: one
2: two
</value>
</file>
<file status="open" name="${folder.name}/b.txt">`)
    const again = await prompt(agentId)
    expect((await attach(agentId, folder.id)).status).toBe(200)
    expect(await prompt(agentId)).toBe(again)
    expect(await readAgent(agentId)).toMatchObject({
      sources: [{ id: folder.id }],
      max_files_open: 10,
      per_file_view_window_char_limit: 25_000,
    })
  })

  test('descriptions and instructions are told, and names cannot break the prompt', async () => {
    const agentId = await newAgent()
    const { body } = await server.request<{ id: string }>('POST', '/v1/folders', {
      name: 'a "quoted" <name>',
      description: 'what it is',
      instructions: 'how to use it',
    })
    await attach(agentId, body.id)
    const told = await prompt(agentId)
    expect(told).toContain(
      '<directory name="a &quot;quoted&quot; &lt;name&gt;">\n<description>\nwhat it is\n</description>\n<instructions>\nhow to use it\n</instructions>',
    )
    await server.request('PATCH', `/v1/folders/${body.id}`, { instructions: 'another way' })
    await change(agentId, 'files/close-all')
    expect(await prompt(agentId)).toContain('another way')
  })

  test('detach takes the files, and with the last folder the tools', async () => {
    const agentId = await newAgent()
    const first = await folderWith('a.txt')
    const second = await folderWith('b.txt')
    await attach(agentId, first.id)
    await attach(agentId, second.id)
    const detached = await detach(agentId, first.id)
    expect([detached.status, detached.body]).toEqual([200, null])
    expect(await openNames(agentId)).toEqual(['b.txt'])
    expect(await toolNames(agentId)).toEqual(expect.arrayContaining(FILE_TOOLS))
    expect((await detach(agentId, first.id)).status).toBe(200)
    await detach(agentId, second.id)
    expect(await agentFiles(agentId)).toEqual([])
    expect((await toolNames(agentId)).filter((name) => FILE_TOOLS.includes(name))).toEqual([])
    expect(await prompt(agentId)).not.toContain('<directories>')
  })

  test('a folder that is deleted leaves its agents, with the tools where it was the last', async () => {
    const folder = await folderWith('a.txt')
    const other = await folderWith('b.txt')
    const [one, two] = [await newAgent(), await newAgent()]
    for (const agentId of [one, two]) await attach(agentId, folder.id)
    await attach(two, other.id)
    await server.request('DELETE', `/v1/folders/${folder.id}`)
    expect(await agentFiles(one)).toEqual([])
    expect((await toolNames(one)).filter((name) => FILE_TOOLS.includes(name))).toEqual([])
    expect(await openNames(two)).toEqual(['b.txt'])
    expect(await toolNames(two)).toEqual(expect.arrayContaining(FILE_TOOLS))
    expect((await server.request('DELETE', `/v1/agents/${two}`)).status).toBe(200)
    expect((await server.request('GET', `/v1/folders/${other.id}/agents`)).body).toEqual([])
  })

  test('the older name answers with the agent', async () => {
    const agentId = await newAgent()
    const folder = await folderWith('a.txt')
    const attached = await server.request<Agent>('PATCH', `/v1/agents/${agentId}/sources/attach/${folder.id}`)
    expect(attached.body).toMatchObject({ id: agentId, sources: [{ id: folder.id }] })
    for (const path of ['sources', 'folders']) {
      const listed = await server.request<{ id: string }[]>('GET', `/v1/agents/${agentId}/${path}`)
      expect(listed.body).toMatchObject([{ id: folder.id, vector_db_provider: 'native' }])
    }
    const detached = await server.request<Agent>('PATCH', `/v1/agents/${agentId}/sources/detach/${folder.id}`)
    expect(detached.body.sources).toEqual([])
  })

  test.each(['folder_ids', 'source_ids'])('agents are made with %s, and changed by them', async (field) => {
    const [first, second] = [await folderWith('a.txt'), await folderWith('b.txt')]
    const made = await server.request<Agent>('POST', '/v1/agents', {
      model: 'openai/gpt-4o-mini',
      [field]: [first.id, first.id],
    })
    expect(made.status, JSON.stringify(made.body)).toBe(200)
    expect(made.body).toMatchObject({ sources: [{ id: first.id }], max_files_open: 10 })
    expect(made.body.tools.map((tool) => tool.name)).toEqual(expect.arrayContaining(FILE_TOOLS))
    const { id } = made.body
    expect(await prompt(id)).toContain('1: text of a.txt')
    const changed = await server.request<Agent>('PATCH', `/v1/agents/${id}`, { [field]: [second.id] })
    expect(changed.body.sources).toMatchObject([{ id: second.id }])
    expect(await openNames(id)).toEqual(['b.txt'])
    const emptied = await server.request<Agent>('PATCH', `/v1/agents/${id}`, { [field]: [] })
    expect(emptied.body.tools.filter((tool) => FILE_TOOLS.includes(tool.name))).toEqual([])
    const unknown = { model: 'openai/gpt-4o-mini', [field]: [newId('source')] }
    expect((await server.request('POST', '/v1/agents', unknown)).status).toBe(404)
    expect((await server.request('PATCH', `/v1/agents/${id}`, { [field]: [newId('source')] })).status).toBe(404)
    expect((await server.request('POST', '/v1/agents', { ...unknown, [field]: ['source-1'] })).status).toBe(422)
  })
})

describe('open files', () => {
  test('the ones not used for the longest time make room', async () => {
    const agentId = await newAgent({ max_files_open: 2 })
    const folder = await folderWith('a.txt', 'b.txt', 'c.txt')
    await attach(agentId, folder.id)
    expect(await openNames(agentId)).toEqual(['a.txt', 'b.txt'])
    const [a, b, c] = folder.files
    const opened = await change(agentId, `files/${c}/open`)
    expect([opened.status, opened.body]).toEqual([200, [`${folder.name}/a.txt`]])
    expect((await change(agentId, `files/${b}/open`)).body).toEqual([])
    expect((await change(agentId, `files/${a}/open`)).body).toEqual([`${folder.name}/c.txt`])
    expect(await openNames(agentId)).toEqual(['a.txt', 'b.txt'])
    const told = await prompt(agentId)
    expect(told).toContain(`<file status="closed" name="${folder.name}/c.txt">`)
    expect(told).toContain('- current_files_open=2')
    // a second folder makes room for its files too
    const more = await folderWith('d.txt')
    await attach(agentId, more.id)
    expect(await openNames(agentId)).toEqual(['a.txt', 'd.txt'])
  })

  test('close, and close all', async () => {
    const agentId = await newAgent()
    const folder = await folderWith('a.txt', 'b.txt')
    await attach(agentId, folder.id)
    const closed = await change(agentId, `files/${folder.files[0]}/close`)
    expect(closed.body).toEqual({ message: `File id=${folder.files[0]} successfully closed` })
    expect(await openNames(agentId)).toEqual(['b.txt'])
    expect((await change(agentId, `files/${folder.files[0]}/close`)).status).toBe(200)
    expect(await prompt(agentId)).toContain('- current_files_open=1')
    expect((await change(agentId, 'files/close-all')).body).toEqual([`${folder.name}/b.txt`])
    expect((await change(agentId, 'files/close-all')).body).toEqual([])
    expect((await agentFiles(agentId)).map((file) => file.visible_content)).toEqual([null, null])
  })

  test('a file that is uploaded later is there, open as far as there is room', async () => {
    const agentId = await newAgent({ max_files_open: 1 })
    const folder = await folderWith('a.txt')
    await attach(agentId, folder.id)
    await upload(folder.id, 'late.txt', 'came late')
    expect(await openNames(agentId)).toEqual(['late.txt'])
    expect(await agentFiles(agentId)).toHaveLength(2)
    const none = await newAgent({ max_files_open: 0 })
    await attach(none, folder.id)
    await upload(folder.id, 'later.txt', 'x')
    expect(await openNames(none)).toEqual([])
    expect(await agentFiles(none)).toHaveLength(3)
  })

  test('files that come while the folder is attached are all there', async () => {
    const folder = await folderWith('a.txt')
    const agents = await Promise.all(Array.from({ length: 3 }, () => newAgent({ max_files_open: 2 })))
    await Promise.all([
      ...Array.from({ length: 5 }, (_, index) => upload(folder.id, `late ${index}.txt`, 'x')),
      ...agents.map((agentId) => attach(agentId, folder.id)),
    ])
    for (const agentId of agents) {
      expect(await agentFiles(agentId)).toHaveLength(6)
      expect(await openNames(agentId)).toHaveLength(2)
    }
  })

  test('a file that is deleted is gone', async () => {
    const agentId = await newAgent()
    const folder = await folderWith('a.txt', 'b.txt')
    await attach(agentId, folder.id)
    await server.request('DELETE', `/v1/folders/${folder.id}/${folder.files[0]}`)
    expect(await openNames(agentId)).toEqual(['b.txt'])
  })

  test('windows are cut at the limit of the agent, also when it changes', async () => {
    const agentId = await newAgent({ per_file_view_window_char_limit: 100 })
    const folder = await folderWith(['long.txt', Array.from({ length: 50 }, (_, index) => `line ${index}`).join('\n')])
    await attach(agentId, folder.id)
    const visible = async () => (await agentFiles(agentId))[0]?.visible_content ?? ''
    const note = '...[TRUNCATED]\n# NOTE: This block is truncated, use functions to view the full content.'
    expect(await visible()).toMatch(/^\[Viewing file start \(out of 50 lines\)\]\n1: line 0\n/)
    expect((await visible()).length).toBe(100 + note.length)
    expect(await prompt(agentId)).toContain(note)
    await server.request('PATCH', `/v1/agents/${agentId}`, { per_file_view_window_char_limit: 10_000 })
    expect(await visible()).toContain('50: line 49')
    await server.request('PATCH', `/v1/agents/${agentId}`, { max_files_open: 0 })
    expect(await openNames(agentId)).toEqual([])
  })

  test.each([
    [8_000, 3, 5_000],
    [32_000, 5, 15_000],
    [128_000, 10, 25_000],
  ])('a context of %i tokens has %i files of %i characters', async (window, maxFiles, chars) => {
    const agentId = await newAgent({ context_window_limit: window })
    await attach(agentId, (await folderWith()).id)
    expect(await readAgent(agentId)).toMatchObject({
      max_files_open: maxFiles,
      per_file_view_window_char_limit: chars,
    })
  })

  test('lists in pages, as the client asks for them', async () => {
    const agentId = await newAgent({ max_files_open: 1 })
    const folder = await folderWith('a.txt', 'b.txt', 'c.txt')
    await attach(agentId, folder.id)
    const page = async (query: string) =>
      (
        await server.request<{ files: AgentFile[]; next_cursor: string | null; has_more: boolean }>(
          'GET',
          `/v1/agents/${agentId}/files?${query}`,
        )
      ).body
    const first = await page('limit=2')
    expect(first).toMatchObject({ has_more: true, next_cursor: first.files[1]?.id })
    expect(first.files.map((file) => file.file_name)).toEqual([`${folder.name}/c.txt`, `${folder.name}/b.txt`])
    expect(first.files[0]).toEqual({
      id: expect.stringMatching(/^file_agent-/),
      file_id: folder.files[2],
      file_name: `${folder.name}/c.txt`,
      folder_id: folder.id,
      folder_name: folder.name,
      is_open: false,
      last_accessed_at: null,
      visible_content: null,
      start_line: null,
      end_line: null,
    })
    const last = await page(`limit=2&after=${first.next_cursor}`)
    expect(last).toMatchObject({ has_more: false, next_cursor: null, files: [{ file_id: folder.files[0] }] })
    expect((await page(`limit=2&cursor=${first.next_cursor}`)).files).toEqual(last.files)
    const before = await page(`limit=1&before=${last.files[0]?.id}`)
    expect(before).toMatchObject({ has_more: true, files: [{ file_id: folder.files[1] }] })
    expect((await page('is_open=false')).files).toHaveLength(2)
    const unknown = await server.request('GET', `/v1/agents/${agentId}/files?after=${newId('file_agent')}`)
    expect(unknown.status).toBe(404)
    const client = await server.sdk()
    const all: string[] = []
    for await (const file of client.agents.files.list(agentId, { limit: 2 })) all.push(file.file_id)
    expect(all).toEqual(folder.files.toReversed())
  })

  test('an agent with very many files is told of some, and how many more', async () => {
    const agentId = await newAgent({ max_files_open: 0 })
    const folder = await folderWith(...Array.from({ length: 103 }, (_, index) => `file ${1000 + index}.txt`))
    await attach(agentId, folder.id)
    const told = await prompt(agentId)
    expect(told.match(/<file status="closed"/g)).toHaveLength(100)
    expect(told).toContain('# NOTE: 3 more closed files are not listed here')
  })
})

describe('refusals', () => {
  test.each<['GET' | 'PATCH', string]>([
    ['GET', 'files'],
    ['GET', 'folders'],
    ['GET', 'sources'],
    ['PATCH', 'files/close-all'],
    ['PATCH', 'files/FILE/open'],
    ['PATCH', 'files/FILE/close'],
    ['PATCH', 'folders/attach/FOLDER'],
    ['PATCH', 'folders/detach/FOLDER'],
    ['PATCH', 'sources/attach/FOLDER'],
    ['PATCH', 'sources/detach/FOLDER'],
  ])('%s %s', async (method, path) => {
    const agentId = await newAgent()
    const folder = await folderWith('a.txt')
    await attach(agentId, folder.id)
    const ask = (agent: string, file = folder.files[0] ?? '', folderId = folder.id, headers = {}) =>
      server.request(
        method,
        `/v1/agents/${agent}/${path.replace('FILE', file).replace('FOLDER', folderId)}`,
        undefined,
        headers,
      )
    expect((await ask(newId('agent'))).status).toBe(404)
    expect((await ask('agent-1')).status).toBe(422)
    const unknown = newId('agent')
    const theirs = await ask(agentId, undefined, undefined, foreign.headers)
    const nobodys = await ask(unknown, undefined, undefined, foreign.headers)
    expect(theirs.status).toBe(404)
    expect(JSON.stringify(theirs.body).replaceAll(agentId, '')).toBe(
      JSON.stringify(nobodys.body).replaceAll(unknown, ''),
    )
    expect(await openNames(agentId)).toEqual(['a.txt'])
    if (path.includes('FILE')) {
      const elsewhere = await folderWith('b.txt')
      expect((await ask(agentId, newId('file'))).status).toBe(404)
      expect((await ask(agentId, elsewhere.files[0])).status).toBe(404)
      expect((await ask(agentId, 'file-1')).status).toBe(422)
    }
    if (path.includes('FOLDER')) {
      expect((await ask(agentId, undefined, newId('source'))).status).toBe(404)
      expect((await ask(agentId, undefined, 'source-1')).status).toBe(422)
      const body = { name: `theirs ${number}` }
      const other = await server.request<{ id: string }>('POST', '/v1/folders', body, foreign.headers)
      expect((await ask(agentId, undefined, other.body.id)).status).toBe(404)
    }
  })
})
