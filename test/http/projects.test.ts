import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newId } from '#platform/ids.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Project {
  id: string
  name: string
  slug: string
}

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.close())

async function create(name: string, headers?: Record<string, string>): Promise<Project> {
  const response = await server.request<Project>('POST', '/v1/projects', { name }, headers)
  expect(response.status, JSON.stringify(response.body)).toBe(201)
  return response.body
}
const list = async (query = '', headers?: Record<string, string>) =>
  (
    await server.request<{ projects: Project[]; hasNextPage: boolean }>(
      'GET',
      `/v1/projects?${query}`,
      undefined,
      headers,
    )
  ).body

describe('projects', () => {
  test('every organisation has a default one, which cannot be deleted', async () => {
    const { headers } = await server.addOrganization()
    for (const as of [undefined, headers]) {
      const [project] = (await list('name=default', as)).projects
      expect(project).toEqual({
        id: expect.stringMatching(/^project-/),
        name: 'Default Project',
        slug: 'default-project',
      })
      const refused = await server.request('DELETE', `/v1/projects/${project?.id}`, undefined, as)
      expect(refused.status).toBe(409)
    }
  })

  test('are made with a slug of their own, listed, and deleted', async () => {
    const one = await create('Grüße an Alle!')
    expect(one.slug).toBe('gru-e-an-alle')
    const two = await create('Grüße an alle')
    expect(two.slug).toMatch(/^gru-e-an-alle-[0-9a-f]{6}$/)
    expect((await create('你好你好')).slug).toBe('project')
    expect(await list('name=an%20alle')).toEqual({ projects: [two, one], hasNextPage: false })
    expect(await list('name=an%20alle&limit=1')).toEqual({ projects: [two], hasNextPage: true })
    expect(await list('name=an%20alle&limit=1&offset=1')).toEqual({ projects: [one], hasNextPage: false })
    expect((await server.request('DELETE', `/v1/projects/${one.id}`)).body).toEqual({ success: true })
    expect((await server.request('DELETE', `/v1/projects/${one.id}`)).status).toBe(404)
  })

  test.each([{ name: 'ab' }, { name: 'x'.repeat(51) }, { name: 1 }, {}])('%j is refused', async (body) => {
    expect((await server.request('POST', '/v1/projects', body)).status).toBe(422)
  })

  test('ids', async () => {
    const { headers } = await server.addOrganization()
    const project = await create('Mine')
    expect((await server.request('DELETE', `/v1/projects/${newId('project')}`)).status).toBe(404)
    expect((await server.request('DELETE', `/v1/projects/${project.id}`, undefined, headers)).status).toBe(404)
    expect((await server.request('DELETE', '/v1/projects/x')).status).toBe(422)
    expect((await list('', headers)).projects.map(({ slug }) => slug)).toEqual(['default-project'])
  })
})

describe('headers', () => {
  const agent = { model: 'openai/gpt-4o-mini' }
  const projectOf = async (headers: Record<string, string>, body: object = {}) =>
    (await server.request<{ project_id: string | null }>('POST', '/v1/agents', { ...agent, ...body }, headers)).body
      .project_id

  test('say of which project a new thing is, unless its body does', async () => {
    const project = await create('Headers')
    expect(await projectOf({})).toBeNull()
    expect(await projectOf({ 'x-project': project.slug })).toBe(project.id)
    expect(await projectOf({ 'x-project-id': project.id })).toBe(project.id)
    expect(await projectOf({ 'x-project-id': 'of-the-old-server', 'x-project': 'none' })).toBe('of-the-old-server')
    expect(await projectOf({ 'x-project': project.slug }, { project_id: 'p' })).toBe('p')
    const other = await create('In the body')
    expect(await projectOf({ 'x-project': project.slug }, { project: other.slug })).toBe(other.id)
    expect(await projectOf({}, { project: other.slug, project_id: 'p' })).toBe('p')
    const identity = { identifier_key: 'h', name: 'h', identity_type: 'user' }
    const made = await server.request('PUT', '/v1/identities/', identity, { 'x-project': project.slug })
    expect(made.body.project_id).toBe(project.id)
    const group = await server.request(
      'POST',
      '/v1/groups/',
      { agent_ids: [], description: 'd' },
      { 'x-project': project.slug },
    )
    expect(group.body.project_id).toBe(project.id)
    const agents = await server.request<{ id: string }[]>('GET', `/v1/agents?project_id=${project.id}`)
    expect(agents.body).toHaveLength(2)
  })

  test('a slug of no project is 404, also of another organisation, and nothing is made', async () => {
    const { headers } = await server.addOrganization()
    const project = await create('Foreign')
    const before = (await server.request('GET', '/v1/agents/count')).body
    for (const as of [{ 'x-project': 'none' }, { ...headers, 'x-project': project.slug }]) {
      expect((await server.request('POST', '/v1/agents', agent, as)).status).toBe(404)
    }
    expect((await server.request('GET', '/v1/agents/count')).body).toBe(before)
    expect((await server.request('GET', '/v1/agents', undefined, { 'x-project': 'none' })).status).toBe(200)
  })
})
