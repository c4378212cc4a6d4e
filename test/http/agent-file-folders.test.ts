import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { statement } from '#store/db.ts'
import { findBrokenInvariants } from '../support/database-state.ts'
import { importForm } from '../support/import-form.ts'
import { multipartFile } from '../support/multipart.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const MODEL = 'openai/gpt-4o-mini'
const MAX_BODY_BYTES = 100_000
const { registry, requests } = scriptedModel(() => ({ text: 'I am here.' }))

let server: TestServer
beforeAll(async () => {
  server = await startTestServer({ models: registry, config: { maxBodyBytes: MAX_BODY_BYTES } })
})
afterAll(async () => {
  expect(await findBrokenInvariants(server.context.db)).toEqual([])
  await server.close()
})

interface Exported {
  agents: { source_ids: string[]; folder_ids: string[]; files_agents: Record<string, unknown>[] }[]
  sources: { id: string; name: string; instructions: string | null }[]
  files: { id: string; source_id: string; file_name: string; content: string | null }[]
}
interface AgentFile {
  file_name: string
  is_open: boolean
  visible_content: string | null
}

let folderName = ''
beforeEach(() => {
  folderName = `notes ${crypto.randomUUID()}`
})

const LINES = Array.from({ length: 30 }, (_, index) => `line ${index + 1}`).join('\n')
const source = (over = {}) => ({ id: 'source-0', name: folderName, instructions: 'Read them.', ...over })
const fileOf = (id: string, name: string, content: string | null, over = {}) => ({
  id,
  source_id: 'source-0',
  file_name: `${folderName}/${name}`,
  original_file_name: name,
  file_type: 'text/plain',
  content,
  ...over,
})
const agentFile = (agentOver = {}, over = {}) => ({
  agents: [
    {
      id: 'agent-0',
      name: 'Ada',
      model: MODEL,
      include_base_tools: false,
      source_ids: ['source-0'],
      folder_ids: ['source-0'],
      files_agents: [
        { file_id: 'file-1', is_open: true, start_line: 3, end_line: 5, last_accessed_at: '2025-01-02T00:00:00Z' },
        { file_id: 'file-0', is_open: false },
      ],
      ...agentOver,
    },
  ],
  blocks: [],
  tools: [],
  groups: [],
  mcp_servers: [],
  sources: [source()],
  files: [fileOf('file-0', 'boats.txt', 'A boat called Zanzibar.'), fileOf('file-1', 'lines.txt', LINES)],
  ...over,
})

const upload = (file: object) => {
  const { body, headers } = importForm(file)
  return server.request<{ agent_ids: string[]; not_imported: string[]; detail: string }>(
    'POST',
    '/v1/agents/import',
    body,
    headers,
  )
}
async function load(file: object): Promise<string> {
  const response = await upload(file)
  expect(response.status, JSON.stringify(response.body)).toBe(200)
  expect(response.body.not_imported).toEqual([])
  return response.body.agent_ids[0] as string
}
async function exportOf(agentId: string, headers: Record<string, string> = {}): Promise<Exported> {
  const response = await server.request<string>('GET', `/v1/agents/${agentId}/export`, undefined, headers)
  expect(response.status, response.body).toBe(200)
  return JSON.parse(response.body)
}
const filesOf = async (agentId: string) =>
  (await server.request<{ files: AgentFile[] }>('GET', `/v1/agents/${agentId}/files`)).body.files
const foldersOf = async (agentId: string) =>
  (await server.request<{ id: string; name: string }[]>('GET', `/v1/agents/${agentId}/folders`)).body

test('folders come with their files, and the agent has open what it had open', async () => {
  const agentId = await load(agentFile())
  const files = (await filesOf(agentId)).toSorted((a, b) => a.file_name.localeCompare(b.file_name))
  expect(files.map(({ file_name, is_open }) => [file_name, is_open])).toEqual([
    [`${folderName}/boats.txt`, false],
    [`${folderName}/lines.txt`, true],
  ])
  expect(files[1]?.visible_content).toBe('[Viewing lines 3 to 5 (out of 30 lines)]\n3: line 3\n4: line 4\n5: line 5')
  const { body: tools } = await server.request<{ name: string }[]>('GET', `/v1/agents/${agentId}/tools`)
  expect(tools.map(({ name }) => name).sort()).toEqual(['grep_files', 'open_files', 'semantic_search_files'])

  expect((await server.request('POST', `/v1/agents/${agentId}/messages`, { input: 'Hello' })).status).toBe(200)
  const prompt = JSON.stringify(requests.at(-1)?.messages[0])
  expect(prompt).toContain('4: line 4')
  expect(prompt).not.toContain('line 6')
  expect(prompt).toContain('Read them.')

  const [folder] = await foldersOf(agentId)
  const passages = await server.request<{ text: string }[]>('GET', `/v1/folders/${folder?.id}/passages`)
  expect(passages.body.map(({ text }) => text).join()).toContain('Zanzibar')
})

test('comes back the same; a name that is taken gets a number, and the folder there was stays as it is', async () => {
  const first = await load(agentFile())
  const before = await exportOf(first)
  expect(before).toMatchObject({
    sources: [{ id: 'source-0', name: folderName, instructions: 'Read them.' }],
    files: [
      { id: 'file-0', source_id: 'source-0', file_name: `${folderName}/boats.txt`, content: 'A boat called Zanzibar.' },
      { id: 'file-1', content: LINES },
    ],
    agents: [
      {
        source_ids: ['source-0'],
        folder_ids: ['source-0'],
        files_agents: [
          { file_id: 'file-0', is_open: false, visible_content: null },
          { file_id: 'file-1', is_open: true, start_line: 3, end_line: 5 },
        ],
      },
    ],
  })
  const second = await load(before)
  expect((await foldersOf(second)).map(({ name }) => name)).toEqual([`${folderName}_(1)`])
  const third = await exportOf(await load(before))
  expect(third.sources[0]?.name).toBe(`${folderName}_(2)`)
  expect(third.files.map(({ content }) => content)).toEqual(['A boat called Zanzibar.', LINES])
  const viewOf = ({ agents }: Exported) =>
    agents[0]?.files_agents.map(({ is_open, visible_content }) => ({ is_open, visible_content }))
  expect(viewOf(third)).toEqual(viewOf(before))
  expect(await foldersOf(first)).toMatchObject([{ name: folderName }])
  expect((await filesOf(first)).length).toBe(2)
})

test('without a word about what is open, files are opened as far as the limits allow', async () => {
  const agentId = await load(agentFile({ files_agents: null, max_files_open: 1 }))
  expect((await filesOf(agentId)).filter((file) => file.is_open).length).toBe(1)
})

test('no more is open than the agent may have', async () => {
  const open = [
    { file_id: 'file-0', last_accessed_at: '2025-01-02T00:00:00Z' },
    { file_id: 'file-1', last_accessed_at: '2025-01-01T00:00:00Z' },
  ]
  const agentId = await load(agentFile({ files_agents: open, max_files_open: 1 }))
  const shown = (await filesOf(agentId)).filter((file) => file.is_open)
  // the one that was used last
  expect(shown.map((file) => file.file_name)).toEqual([`${folderName}/boats.txt`])
})

test('two folders of one name in a file are two folders', async () => {
  const agentId = await load(
    agentFile(
      { source_ids: ['source-0', 'source-1'], files_agents: null },
      { sources: [source(), source({ id: 'source-1' })] },
    ),
  )
  expect((await foldersOf(agentId)).map(({ name }) => name).sort()).toEqual([folderName, `${folderName}_(1)`])
})

test('files without their text are named as left out', async () => {
  const { body, status } = await upload(
    agentFile({}, { files: [fileOf('file-0', 'boats.txt', 'x'), fileOf('file-1', 'lines.txt', null)] }),
  )
  expect(status).toBe(200)
  expect(body.not_imported).toEqual(['files'])
  expect((await filesOf(body.agent_ids[0] as string)).map((file) => file.file_name)).toEqual([
    `${folderName}/boats.txt`,
  ])
})

const rows = async () =>
  (
    await server.context.db.query(
      statement(
        'test-count-folders-and-files',
        'select (select count(*) from agents) as agents, (select count(*) from folders) as folders, (select count(*) from files) as files',
      ),
    )
  )[0]

test.each<[string, () => object, string]>([
  [
    'a source that is not there',
    () => ({ files: [fileOf('file-0', 'a', 'x', { source_id: 'source-7' })] }),
    'files[0].source_id',
  ],
  ['no source at all', () => ({ files: [fileOf('file-0', 'a', 'x', { source_id: null })] }), 'files[0].source_id'],
  [
    'two files of one name',
    () => ({ files: [fileOf('file-0', 'a', 'x'), fileOf('file-1', 'a', 'y')] }),
    "files[1]: The folder has two files of the name 'a'",
  ],
  ['a folder without a name', () => ({ sources: [source({ name: ' ' })] }), 'sources[0]: The name of a folder'],
  ['a file whose name is none', () => ({ files: [fileOf('file-0', '..', 'x')] }), 'files[0]: The file needs a name'],
])('%s is refused with its place, and leaves nothing behind', async (_, over, told) => {
  const before = await rows()
  const files_agents = null
  const { status, body } = await upload(agentFile({ files_agents }, over()))
  expect(status).toBe(400)
  expect(body.detail).toContain(told)
  expect(await rows()).toEqual(before)
})

test('an export has the texts that an import can take; the names of the others are there', async () => {
  const agentId = await load(agentFile())
  const [folder] = await foldersOf(agentId)
  const form = multipartFile('ocean.txt', 'x'.repeat(MAX_BODY_BYTES / 2))
  const url = `/v1/folders/${folder?.id}/upload`
  expect((await server.request('POST', url, form.payload, form.headers)).status).toBe(200)
  const { files } = await exportOf(agentId)
  expect(files.map(({ file_name, content }) => [file_name.split('/').at(-1), content === null])).toEqual([
    ['boats.txt', false],
    ['lines.txt', false],
    ['ocean.txt', true],
  ])
})

test('a token for an agent exports no folders', async () => {
  const agentId = await load(agentFile())
  const policy = [{ type: 'agent', id: agentId, access: ['read_agent', 'read_messages'] }]
  const made = await server.request<{ token: string }>('POST', '/v1/client-side-access-tokens', {
    policy,
    hostname: 'https://app.example',
  })
  const exported = await exportOf(agentId, { authorization: `Bearer ${made.body.token}` })
  expect(exported).toMatchObject({ sources: [], files: [] })
  expect(exported.agents[0]).toMatchObject({ source_ids: [], folder_ids: [], files_agents: [] })
})
