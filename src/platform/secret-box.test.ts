import { describe, expect, it } from 'vitest'
import { SecretBox } from './secret-box.ts'

const owner = { organizationId: 'org-1', place: 'agent_secrets agent-1 API_KEY' }

describe('SecretBox', () => {
  const box = new SecretBox('correct horse battery staple')

  it('opens what it sealed, and seals the same text differently each time', () => {
    const [one, other] = [box.seal('sk-näh ☃', owner), box.seal('sk-näh ☃', owner)]
    expect(one).not.toBe(other)
    expect(one).not.toContain('sk-')
    expect([box.open(one, owner), box.open(other, owner)]).toEqual(['sk-näh ☃', 'sk-näh ☃'])
    expect(box.open(box.seal('', owner), owner)).toBe('')
  })

  it('refuses another place, another organisation, another key and a changed text', () => {
    const sealed = box.seal('sk-1', owner)
    const changed = `${sealed.slice(0, -2)}${sealed.endsWith('AA') ? 'BB' : 'AA'}`
    const attempts = [
      () => box.open(sealed, { ...owner, place: 'agent_secrets agent-2 API_KEY' }),
      () => box.open(sealed, { ...owner, organizationId: 'org-2' }),
      () => new SecretBox('another key of this length').open(sealed, owner),
      () => new SecretBox(undefined).open(sealed, owner),
      () => box.open(changed, owner),
      () => box.open('sk-1', owner),
    ]
    for (const attempt of attempts) expect(attempt).toThrow(/PERDURE_ENCRYPTION_KEY is not the key/)
  })

  it('says what to set where there is no key', () => {
    expect(() => new SecretBox(undefined).seal('sk-1', owner)).toThrow(/set PERDURE_ENCRYPTION_KEY/)
  })
})
