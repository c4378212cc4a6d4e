import { expect, test } from 'vitest'
import { RestartPolicy } from './restart-policy.ts'
import { poolShare, workerCount } from './worker-count.ts'

const listened = { hasListened: true, othersListening: 1 }
const diedAtStart = { livedMs: 800, hasListened: false }

test('a worker that lived long is replaced at once, one that dies young later and later', () => {
  const policy = new RestartPolicy()
  expect(policy.next({ livedMs: 60_000, ...listened })).toBe(0)
  const pauses = Array.from({ length: 9 }, () => policy.next({ livedMs: 100, ...listened }))
  expect(pauses).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  expect(policy.next({ livedMs: 60_000, ...listened })).toBe(0)
  expect(policy.next({ livedMs: 100, ...listened })).toBe(500)
})

test('it gives up when starts fail and nobody serves, and never while another worker does', () => {
  const policy = new RestartPolicy()
  for (let start = 0; start < 20; start += 1)
    expect(policy.next({ ...diedAtStart, othersListening: 1 })).not.toBe('give-up')
  for (let start = 0; start < 5; start += 1)
    expect(policy.next({ ...diedAtStart, othersListening: 0 })).not.toBe('give-up')
  expect(policy.next({ ...diedAtStart, othersListening: 0 })).toBe('give-up')
})

test('the connections to the database are shared out, two at least; auto is one worker per core', () => {
  expect(poolShare({ workers: 4, databasePoolSize: 20 })).toBe(5)
  expect(poolShare({ workers: 3, databasePoolSize: 20 })).toBe(6)
  expect(poolShare({ workers: 64, databasePoolSize: 20 })).toBe(2)
  expect(workerCount({ workers: 3 })).toBe(3)
  expect(workerCount({ workers: 0 })).toBeGreaterThanOrEqual(1)
})
