import { describe, expect, it } from 'vitest'
import { DomainError } from '#platform/errors.ts'
import type { WaitingThread } from '#store/runs/list-waiting-threads.ts'
import { Admission } from './admission.ts'

let seq = 0
const waiting = (tenant: string, count: number, background = false): WaitingThread[] =>
  Array.from({ length: count }, () => {
    seq += 1
    return { organization_id: tenant, conversation_id: `conv-${seq}`, background, queue_seq: seq }
  })
const run = (tenant: string, background = false) => ({ organization_id: tenant, background })
const tenants = (threads: readonly WaitingThread[]) => threads.map((thread) => thread.organization_id).join('')

describe('admission', () => {
  it('takes turns between tenants, the one with the fewest runs first, and the oldest of each', () => {
    const admission = new Admission({ maxActive: 10, maxQueued: 10 })
    for (let index = 0; index < 4; index += 1) admission.enter(run('a'))
    const threads = [...waiting('a', 50), ...waiting('b', 2), ...waiting('c', 1)]
    const chosen = admission.pick(threads, 16)
    expect(tenants(chosen)).toBe('bcbaaa')
    const ofA = chosen.filter((thread) => thread.organization_id === 'a')
    expect(ofA).toEqual(threads.slice(0, 3))
  })

  it('takes no more than there is room for', () => {
    const admission = new Admission({ maxActive: 2, maxQueued: 10 })
    expect(admission.pick(waiting('a', 9), 16)).toHaveLength(2)
    admission.enter(run('a'))
    admission.enter(run('a'))
    expect(admission.pick(waiting('a', 9), 16)).toEqual([])
    expect(admission.canStart(false)).toBe(false)
    admission.leave(run('a'))
    expect(admission.canStart(false)).toBe(true)
  })

  it('background runs leave a fifth of the room free, and keep a fifth where both kinds wait', () => {
    const admission = new Admission({ maxActive: 10, maxQueued: 10 })
    expect(admission.pick(waiting('a', 20, true), 16)).toHaveLength(8)
    const both = admission.pick([...waiting('a', 20, true), ...waiting('a', 20)], 16)
    expect(both.filter((thread) => thread.background)).toHaveLength(2)
    expect(both).toHaveLength(10)
    for (let index = 0; index < 8; index += 1) admission.enter(run('a', true))
    expect(admission.canStart(true)).toBe(false)
    expect(admission.canStart(false)).toBe(true)
  })

  it('what is new goes behind what waits', () => {
    const admission = new Admission({ maxActive: 10, maxQueued: 10 })
    admission.backlog = 'any'
    expect(admission.canStart(false)).toBe(false)
    admission.backlog = 'background'
    expect([admission.canStart(false), admission.canStart(true)]).toEqual([true, false])
  })

  it('refuses a tenant of which too many wait, not the others; and all when too many wait in all', () => {
    const admission = new Admission({ maxActive: 1, maxQueued: 3 })
    const refusal = (tenant: string) => {
      try {
        admission.refuseExcess(tenant)
        return undefined
      } catch (error) {
        return error instanceof DomainError ? [error.kind, error.options.retryAfterSeconds] : error
      }
    }
    for (let index = 0; index < 3; index += 1) admission.noteQueued('a')
    expect(refusal('a')).toEqual(['unavailable', 5])
    expect(refusal('b')).toBeUndefined()
    admission.noteCounts(new Map([['a', 2]]))
    expect(refusal('a')).toBeUndefined()
    admission.noteCounts(new Map(Array.from({ length: 15 }, (_, index) => [`t${index}`, 2])))
    expect(refusal('b')).toEqual(['unavailable', 5])
    admission.noteCounts(new Map())
    expect([refusal('b'), admission.hasWaiting]).toEqual([undefined, false])
  })
})
