import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type TenantProvider, TenantProviders } from './tenant-providers.ts'

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => vi.useRealTimers())

const provider = (id: string, version = '1'): TenantProvider => ({
  id,
  version,
  name: id,
  providerType: 'openai',
  baseUrl: null,
  openKey: () => undefined,
})

test('what another replica changed is seen after seconds; what stayed the same is served on', async () => {
  const stored = { 'org-1': [provider('a'), provider('b')], 'org-2': [provider('c')] }
  let loads = 0
  const tenants = new TenantProviders(
    async (organizationId) => {
      loads += 1
      return stored[organizationId as keyof typeof stored]
    },
    ({ id, version }) => ({ id, version }),
  )
  const [a, b] = await tenants.list('org-1')
  await Promise.all([tenants.list('org-1'), tenants.list('org-1')])
  expect(loads).toBe(1)
  expect(await tenants.list('org-2')).toEqual([{ id: 'c', version: '1' }])

  stored['org-1'] = [provider('a'), provider('b', '2')]
  expect((await tenants.list('org-1'))[1]).toBe(b)
  vi.advanceTimersByTime(3_001)
  const later = await tenants.list('org-1')
  expect(later[0]).toBe(a)
  expect(later[1]).toEqual({ id: 'b', version: '2' })
})

test('a change on this replica counts at once, also while an older list is being read', async () => {
  let stored = [provider('a')]
  let goOn = (): void => {}
  let waits = true
  const tenants = new TenantProviders(
    async () => {
      const read = stored
      if (waits) await new Promise<void>((resolve) => (goOn = resolve))
      return read
    },
    ({ id }) => id,
  )
  const early = tenants.list('org-1')
  waits = false
  stored = [provider('b')]
  tenants.forget('org-1')
  expect(await tenants.list('org-1')).toEqual(['b'])
  goOn()
  expect(await early).toEqual(['a'])
  expect(await tenants.list('org-1')).toEqual(['b'])
})

test('one that cannot be called is left out, and tried again only when it was changed', async () => {
  const serve = vi.fn(({ id }: TenantProvider) => (id === 'bad' ? undefined : id))
  const tenants = new TenantProviders(async () => [provider('bad'), provider('good')], serve)
  expect(await tenants.list('org-1')).toEqual(['good'])
  vi.advanceTimersByTime(3_001)
  expect(await tenants.list('org-1')).toEqual(['good'])
  expect(serve).toHaveBeenCalledTimes(2)
})
