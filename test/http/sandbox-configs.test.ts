import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import { SECRET_MASK } from '#platform/secret-mask.ts'
import { statement } from '#store/db.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

interface Wire {
  id: string
  type: string
  config: object
  key: string
  detail: string
}

const UNKNOWN = 'sandbox-01234567-89ab-4def-8123-456789abcdef'
const UNKNOWN_VARIABLE = 'sandbox-env-01234567-89ab-4def-8123-456789abcdef'
const BASE = '/v1/sandbox-config'

let server: TestServer
let other: Record<string, string>
beforeAll(async () => {
  server = await startTestServer()
  other = (await server.addOrganization()).headers
})
afterAll(() => server.close())

type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'
const ask = (method: Method, path: string, body?: object, headers = {}) =>
  server.request<Wire>(method, `${BASE}${path}`, body, headers)
const list = async (path: string, headers = {}) =>
  (await server.request<Wire[]>('GET', `${BASE}${path}`, undefined, headers)).body

describe('configurations', () => {
  it('are made, of the type that their fields tell, once of each type', async () => {
    const local = await ask('POST', '/', {
      config: { sandbox_dir: '/tmp/x', pip_requirements: ['numpy', { name: 'a', version: '1' }] },
    })
    expect(local.body).toMatchObject({
      type: 'local',
      config: {
        sandbox_dir: '/tmp/x',
        use_venv: false,
        venv_name: 'venv',
        pip_requirements: [
          { name: 'numpy', version: null },
          { name: 'a', version: '1' },
        ],
      },
    })
    const e2b = await ask('POST', '/', { config: { timeout: 5, pip_requirements: ['numpy'] } })
    expect(e2b.body).toMatchObject({ type: 'e2b', config: { timeout: 5, template: null, pip_requirements: ['numpy'] } })
    const modal = await ask('POST', '/', {
      config: { language: 'typescript', npm_requirements: [{ name: 'x', version: '2' }] },
    })
    expect(modal.body).toMatchObject({
      type: 'modal',
      config: { timeout: 60, language: 'typescript', npm_requirements: ['x==2'] },
    })
    expect(await ask('POST', '/', { config: {} })).toMatchObject({
      status: 409,
      headers: { 'x-should-retry': 'false' },
    })
    expect((await list('/')).map(({ type }) => type)).toEqual(['local', 'e2b', 'modal'])
    expect((await list('/?sandbox_type=e2b')).map(({ id }) => id)).toEqual([e2b.body.id])
    expect((await list(`/?after=${local.body.id}&limit=1`)).map(({ id }) => id)).toEqual([e2b.body.id])
    expect((await ask('GET', `/?after=${UNKNOWN}`)).status).toBe(404)
  })

  it.each<[number, object]>([
    [422, {}],
    [422, { config: 3 }],
    [422, { config: { timeout: 'x' } }],
    [422, { config: { sandbox_dir: '/x', template: 'y' } }],
    [422, { config: { use_venv: true, timeout: 5 } }],
    [422, { config: { language: 'cobol' } }],
  ])('answers %i to %o', async (status, body) => {
    expect((await ask('POST', '/', body)).status).toBe(status)
  })

  it('have defaults, made once', async () => {
    const made = await Promise.all(Array.from({ length: 6 }, () => ask('POST', '/local/default', undefined, other)))
    expect(new Set(made.map(({ status, body }) => `${status} ${body.id}`)).size).toBe(1)
    expect(made[0]?.body.config).toEqual({
      sandbox_dir: null,
      use_venv: false,
      venv_name: 'venv',
      pip_requirements: [],
    })
    const e2b = await ask('POST', '/e2b/default', undefined, other)
    expect(e2b.body).toMatchObject({ type: 'e2b', config: { timeout: 300, template: null, pip_requirements: null } })
    expect((await ask('POST', '/local', { sandbox_dir: '/x' }, other)).status).toBe(409)
    expect((await ask('POST', '/local/recreate-venv', undefined, other)).status).toBe(400)
  })

  it('are changed within their type, and deleted', async () => {
    const [local] = await list('/?sandbox_type=local', other)
    const id = local?.id ?? ''
    const changed = await ask('PATCH', `/${id}`, { config: { use_venv: true } }, other)
    expect(changed.body.config).toMatchObject({ use_venv: true, sandbox_dir: null })
    expect((await ask('PATCH', `/${id}`, {}, other)).body.config).toEqual(changed.body.config)
    expect((await ask('PATCH', `/${id}`, { config: { template: 'x' } }, other)).status).toBe(422)
    expect((await ask('PATCH', `/${id}`, { config: 'x' }, other)).status).toBe(422)
    expect((await ask('DELETE', `/${id}`, undefined, other)).status).toBe(204)
    expect((await ask('DELETE', `/${id}`, undefined, other)).status).toBe(404)
    expect((await ask('POST', '/local', { sandbox_dir: '/x' }, other)).body).toMatchObject({
      type: 'local',
      config: { sandbox_dir: '/x' },
    })
  })
})

describe('environment variables', () => {
  const READ = statement('test-read-variable', 'select v.sealed_value from sandbox_variables as v where v.id = $1')
  const plainOf = async (id: string) => {
    const [row] = await server.context.db.query<{ sealed_value: string }>(READ, [id])
    const sealed = row?.sealed_value ?? ''
    expect(sealed).not.toContain('s3cret')
    return server.context.secrets.open(sealed, {
      organizationId: DEFAULT_ORGANIZATION_ID,
      place: `sandbox_variables ${id}`,
    })
  }
  const configId = async () => (await ask('POST', '/local/default')).body.id

  it('are kept encrypted and shown masked', async () => {
    const path = `/${await configId()}/environment-variable`
    const made = await ask('POST', path, { key: 'API_KEY', value: 's3cret', description: 'for x' })
    expect(made.body).toMatchObject({ key: 'API_KEY', value: SECRET_MASK, value_enc: null, description: 'for x' })
    const { id } = made.body
    expect(await plainOf(id)).toBe('s3cret')
    expect(await list(path)).toEqual([made.body])
    const one = `/environment-variable/${id}`
    expect((await ask('PATCH', one, { value: SECRET_MASK, key: null })).body).toMatchObject({
      key: 'API_KEY',
      description: 'for x',
    })
    expect(await plainOf(id)).toBe('s3cret')
    expect((await ask('PATCH', one, { key: 'OTHER', value: 's3cret 2', description: null })).body).toMatchObject({
      key: 'OTHER',
      description: null,
    })
    expect(await plainOf(id)).toBe('s3cret 2')
    const second = await ask('POST', path, { key: 'API_KEY', value: '' })
    expect(second.status).toBe(200)
    expect((await ask('POST', path, { key: 'OTHER', value: 'x' })).status).toBe(409)
    expect((await ask('PATCH', `/environment-variable/${second.body.id}`, { key: 'OTHER' })).status).toBe(409)
    expect((await ask('DELETE', one)).status).toBe(204)
    expect((await ask('DELETE', one)).status).toBe(404)
    expect((await list(path)).map(({ key }) => key)).toEqual(['API_KEY'])
  })

  it.each<[number, object]>([
    [422, { key: 'A' }],
    [422, { key: '1A', value: 'x' }],
    [422, { key: 'A=B', value: 'x' }],
    [422, { key: 'A', value: 3 }],
    [422, { key: 'A', value: SECRET_MASK }],
  ])('answers %i to %o', async (status, body) => {
    expect((await ask('POST', `/${await configId()}/environment-variable`, body)).status).toBe(status)
  })

  it('go with their configuration', async () => {
    const [modal] = await list('/?sandbox_type=modal')
    const made = await ask('POST', `/${modal?.id}/environment-variable`, { key: 'A', value: 'x' })
    await ask('DELETE', `/${modal?.id}`)
    expect((await ask('PATCH', `/environment-variable/${made.body.id}`, { description: 'x' })).status).toBe(404)
  })

  it('of another organisation are as if there were none', async () => {
    const id = await configId()
    const { body: variable } = await ask('POST', `/${id}/environment-variable`, { key: 'MINE', value: 'x' })
    const attempts: [Method, string, string, string, object?][] = [
      ['PATCH', '/', id, UNKNOWN, { config: {} }],
      ['DELETE', '/', id, UNKNOWN],
      ['GET', '/', `${id}/environment-variable`, `${UNKNOWN}/environment-variable`],
      ['POST', '/', `${id}/environment-variable`, `${UNKNOWN}/environment-variable`, { key: 'A', value: 'x' }],
      ['PATCH', '/environment-variable/', variable.id, UNKNOWN_VARIABLE, { description: 'x' }],
      ['DELETE', '/environment-variable/', variable.id, UNKNOWN_VARIABLE],
    ]
    for (const [method, prefix, mine, unknown, body] of attempts) {
      const foreign = await ask(method, prefix + mine, body, other)
      const missing = await ask(method, prefix + unknown, body, other)
      expect([method, mine, foreign.status, missing.status]).toEqual([method, mine, 404, 404])
      expect(foreign.body.detail.replace(/sandbox-(env-)?[\da-f-]{36}/, '')).toBe(
        missing.body.detail.replace(/sandbox-(env-)?[\da-f-]{36}/, ''),
      )
      expect(
        (await ask(method, `${prefix}nonsense${mine.endsWith('variable') ? '/environment-variable' : ''}`, body))
          .status,
      ).toBe(422)
    }
    expect(await list(`/${id}/environment-variable`)).toContainEqual(variable)
  })
})
