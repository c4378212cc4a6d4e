import { expect, test } from 'vitest'
import { DomainError } from '#platform/errors.ts'
import { isConnectionLost, isTransient, sqlState } from './database-error.ts'

const withCode = (code: string) => Object.assign(new Error('x'), { code })

test('sqlState reads five characters, not the codes of the operating system', () => {
  expect(sqlState(withCode('23505'))).toBe('23505')
  expect(sqlState(withCode('ECONNREFUSED'))).toBeUndefined()
  expect(sqlState('23505')).toBeUndefined()
})

test('a lost connection is told from an error of the statement', () => {
  const lost = ['08006', '57P01', '25006', 'ECONNRESET', 'EHOSTUNREACH'].map(withCode)
  for (const error of [...lost, new Error('Connection terminated unexpectedly')]) {
    expect(isConnectionLost(error)).toBe(true)
    expect(isTransient(error)).toBe(true)
  }
  for (const code of ['23505', '42601', '57014']) expect(isTransient(withCode(code))).toBe(false)
})

test('serialization failures, deadlocks and an unreachable database are transient, but not lost', () => {
  for (const code of ['40001', '40P01']) {
    expect(isTransient(withCode(code))).toBe(true)
    expect(isConnectionLost(withCode(code))).toBe(false)
  }
  expect(isTransient(new DomainError('unavailable', 'away'))).toBe(true)
  expect(isTransient(new DomainError('conflict', 'no'))).toBe(false)
})
