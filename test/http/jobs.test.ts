import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { DEFAULT_ORGANIZATION_ID, newId, newOrderedId } from '#platform/ids.ts'
import { statement } from '#store/db.ts'
import { multipartFile } from '../support/multipart.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Job {
  id: string
  job_type: string
  status: string
  metadata: Record<string, unknown>
  [field: string]: unknown
}

let server: TestServer
let foreign: { headers: Record<string, string> }
beforeAll(async () => {
  server = await startTestServer()
  foreign = await server.addOrganization()
})
afterAll(() => server.close())

let number = 0
async function upload(): Promise<{ folderId: string; fileId: string; job: Job }> {
  number += 1
  const folder = await server.request<{ id: string }>('POST', '/v1/folders', { name: `folder ${number}` })
  const form = multipartFile('a.txt', 'a boat')
  const path = `/v1/folders/${folder.body.id}/upload`
  const file = await server.request<{ id: string }>('POST', path, form.payload, form.headers)
  const [job] = (await server.request<Job[]>('GET', `/v1/jobs?source_id=${folder.body.id}`)).body
  if (job === undefined) throw new Error('no job')
  return { folderId: folder.body.id, fileId: file.body.id, job }
}
/** A batch that some other process works on for a long time. */
const insertBatch = statement(
  'test-insert-claimed-batch',
  `insert into batches (organization_id, id, item_count, created_by_id, claimed_until, created_at)
   values ($1, $2, 1, 'user-x', now() + interval '1 hour', clock_timestamp())`,
)
async function batch(): Promise<string> {
  const id = newOrderedId('job')
  await server.context.db.query(insertBatch, [DEFAULT_ORGANIZATION_ID, id])
  return id
}
const list = async (query: string, path = '/v1/jobs') =>
  (await server.request<Job[]>('GET', `${path}?${query}`)).body.map((job) => job.id)

describe('jobs', () => {
  test('an upload is a job that is done', async () => {
    const { folderId, fileId, job } = await upload()
    expect(job).toEqual({
      id: expect.stringMatching(/^job-/),
      status: 'completed',
      job_type: 'job',
      background: false,
      agent_id: null,
      created_by_id: 'user-00000000-0000-4000-8000-000000000000',
      last_updated_by_id: 'user-00000000-0000-4000-8000-000000000000',
      created_at: expect.any(String),
      updated_at: expect.any(String),
      completed_at: expect.any(String),
      stop_reason: null,
      metadata: { type: 'embedding', source_id: folderId, file_id: fileId, filename: 'a.txt' },
      callback_url: null,
      callback_sent_at: null,
      callback_status_code: null,
      callback_error: null,
      ttft_ns: null,
      total_duration_ns: expect.any(Number),
    })
    expect((await server.request('GET', `/v1/jobs/${job.id}`)).body).toEqual(job)
    expect((await server.request('PATCH', `/v1/jobs/${job.id}/cancel`)).body).toEqual(job)
  })

  test('a batch is the same as a job and as a batch', async () => {
    const id = await batch()
    const job = (await server.request<Job>('GET', `/v1/jobs/${id}`)).body
    expect(job).toEqual((await server.request('GET', `/v1/messages/batches/${id}`)).body)
    expect(job).toMatchObject({ status: 'running', job_type: 'batch', metadata: { requests: 1 } })
    expect(await list('', '/v1/jobs/active')).toContain(id)
    const cancelled = await server.request<Job>('PATCH', `/v1/jobs/${id}/cancel`)
    expect(cancelled.body.status).toBe('cancelled')
    expect(await list('active=true')).not.toContain(id)
    expect((await server.request('GET', `/v1/messages/batches/${id}`)).body).toMatchObject({ status: 'cancelled' })
  })

  test('both in one list, in pages', async () => {
    const first = (await upload()).job.id
    const second = await batch()
    const third = (await upload()).job.id
    expect(await list('limit=3')).toEqual([third, second, first])
    expect(await list(`after=${third}&limit=1`)).toEqual([second])
    expect(await list(`before=${first}&limit=1`)).toEqual([second])
    expect(await list(`order=asc&after=${first}`)).toEqual([second, third])
    expect(await list(`ascending=true&after=${first}`)).toEqual([second, third])
    expect((await list('active=true')).slice(0, 1)).toEqual([second])
    const active = await list('', '/v1/jobs/active')
    expect(active.at(-1)).toBe(second)
    expect(await list('ascending=false', '/v1/jobs/active')).toEqual(active.toReversed())
    expect((await server.request('GET', `/v1/jobs?after=${newId('job')}`)).status).toBe(400)
    expect((await server.request('GET', '/v1/jobs?source_id=x')).status).toBe(422)
    expect((await server.request('GET', '/v1/jobs', undefined, foreign.headers)).body).toEqual([])
  })

  test('delete answers with what it was; the file stays', async () => {
    const { folderId, fileId, job } = await upload()
    expect((await server.request('DELETE', `/v1/jobs/${job.id}`)).body).toEqual(job)
    expect((await server.request('DELETE', `/v1/jobs/${job.id}`)).status).toBe(404)
    expect((await server.request('GET', `/v1/folders/${folderId}/files/${fileId}`)).status).toBe(200)
    const id = await batch()
    expect((await server.request('DELETE', `/v1/jobs/${id}`)).body).toMatchObject({ status: 'cancelled' })
    expect((await server.request('GET', `/v1/messages/batches/${id}`)).status).toBe(404)
  })

  test.each<['GET' | 'PATCH' | 'DELETE', string]>([
    ['GET', ''],
    ['PATCH', '/cancel'],
    ['DELETE', ''],
  ])('%s JOB%s: unknown, malformed, of somebody else', async (method, suffix) => {
    const { job } = await upload()
    const ask = async (id: string, headers = {}) =>
      (await server.request(method, `/v1/jobs/${id}${suffix}`, undefined, headers)).status
    expect(await ask(newId('job'))).toBe(404)
    expect(await ask('job-1')).toBe(422)
    expect(await ask(job.id, foreign.headers)).toBe(404)
    expect((await server.request('GET', `/v1/jobs/${job.id}`)).status).toBe(200)
  })
})

test('the size of what can be searched, in a unit', async () => {
  const { headers } = await server.addOrganization()
  const size = async (unit?: string) =>
    (
      await server.request<number>('GET', '/v1/embeddings/total_storage_size', undefined, {
        ...headers,
        ...(unit === undefined ? {} : { 'storage-unit': unit }),
      })
    ).body
  expect(await size()).toBe(0)
  const archive = await server.request<{ id: string }>('POST', '/v1/archives', { name: 'a' }, headers)
  await server.request('POST', `/v1/archives/${archive.body.id}/passages`, { text: 'grüße' }, headers)
  const folder = await server.request<{ id: string }>('POST', '/v1/folders', { name: 'a' }, headers)
  const form = multipartFile('a.txt', 'x'.repeat(1024 - 7))
  await server.request('POST', `/v1/folders/${folder.body.id}/upload`, form.payload, { ...form.headers, ...headers })
  expect([await size('B'), await size('kb'), await size()]).toEqual([1024, 1, 1 / 1024 ** 2])
  const refused = await server.request('GET', '/v1/embeddings/total_storage_size', undefined, {
    'storage-unit': 'feet',
  })
  expect(refused.status).toBe(400)
})
