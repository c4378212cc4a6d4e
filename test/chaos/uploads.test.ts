import { afterAll, beforeAll, expect, it } from 'vitest'
import { makeDocx } from '../support/documents.ts'
import { type KillableServer, prepareKillableServer } from '../support/killable-server.ts'
import { multipartFile } from '../support/multipart.ts'
import type { ServerProcess } from '../support/server-process.ts'

const LINES = 400_000

let killable: KillableServer
beforeAll(async () => {
  killable = await prepareKillableServer('instant-text', 0)
})
afterAll(() => killable.remove())

interface File {
  id: string
  processing_status: string
  total_chunks: number
  chunks_embedded: number
  content: string | null
}

it('uploads outlive kill -9 while they wait, are read, and are stored', async () => {
  let server: ServerProcess = await killable.start()
  const get = async <Body>(path: string): Promise<Body> => (await (await fetch(`${server.url}${path}`)).json()) as Body
  const created = await fetch(`${server.url}/v1/folders`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'docs' }),
  })
  const folder = (await created.json()) as { id: string }
  const upload = async (name: string, bytes: Uint8Array): Promise<File> => {
    const { payload, headers } = multipartFile(name, bytes)
    const url = `${server.url}/v1/folders/${folder.id}/upload`
    const response = await fetch(url, { method: 'POST', headers, body: new Uint8Array(payload) })
    expect(response.status).toBe(200)
    return (await response.json()) as File
  }
  const find = (file: File) => get<File>(`/v1/folders/${folder.id}/files/${file.id}`)
  const text = Array.from({ length: LINES }, (_, index) => `line ${index + 1} of a long file`).join('\n')

  // answered, and killed before anybody can have read it
  const long = await upload('long.txt', Buffer.from(text))
  const docx = await upload('a.docx', makeDocx(['the boat is red']))
  await server.kill()

  server = await killable.start()
  await expect.poll(async () => (await find(long)).processing_status, { timeout: 40_000, interval: 20 }).toBe('parsing')
  await server.kill()

  server = await killable.start()
  const isHalfStored = async () => {
    const { processing_status, total_chunks, chunks_embedded } = await find(long)
    return processing_status === 'embedding' && chunks_embedded > 0 && chunks_embedded < total_chunks
  }
  await expect.poll(isHalfStored, { timeout: 60_000, interval: 20 }).toBe(true)
  await server.kill()

  server = await killable.start()
  for (const file of [long, docx]) {
    const status = async () => (await find(file)).processing_status
    await expect.poll(status, { timeout: 90_000, interval: 200 }).toBe('completed')
  }
  const read = await get<File>(`/v1/folders/${folder.id}/files/${long.id}?include_content=true`)
  expect(read.content).toBe(text)
  expect(read.chunks_embedded).toBe(read.total_chunks)
  let count = 0
  let after = ''
  for (;;) {
    const passages = await get<{ id: string; file_id: string }[]>(
      `/v1/folders/${folder.id}/passages?order=asc&limit=1000${after && `&after=${after}`}`,
    )
    count += passages.filter((passage) => passage.file_id === long.id).length
    if (passages.length < 1000) break
    after = passages.at(-1)?.id ?? ''
  }
  expect(count).toBe(read.total_chunks)
  expect(await server.stop()).toBe(0)
}, 240_000)
