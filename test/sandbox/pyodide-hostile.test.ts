import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openPyodideRunner } from '#tools/sandbox/deno/open-pyodide-runner.ts'
import type { ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { listChildren, silentLogger } from '../support/tool-call.ts'
import type { Attack } from './attacks/attack.ts'
import { ATTACK_LIMITS, attack, attacksFor } from './hostile-python.ts'
import { type PreparedTargets, prepareTargets } from './prepare-targets.ts'

const SCRIPT = 'pyodide-runner.mjs'
const STANDBYS = 2
let runner: ToolRunner
let prepared: PreparedTargets
let cacheDir: string

beforeAll(async () => {
  prepared = await prepareTargets()
  cacheDir = await mkdtemp(join(tmpdir(), 'perdure-pyodide-test-'))
  runner = await openPyodideRunner({
    logger: silentLogger,
    maxConcurrent: 2,
    standbys: STANDBYS,
    limits: ATTACK_LIMITS,
    allowsPrivateAddresses: false,
    cacheDir,
  })
})

afterAll(async () => {
  await runner[Symbol.asyncDispose]()
  expect(listChildren(SCRIPT)).toEqual([])
  await prepared[Symbol.asyncDispose]()
  await rm(cacheDir, { recursive: true })
})

/** 8 GB have no size in 32 bits: that is a mistake of the code, and takes nothing. */
const in32Bits = (one: Attack): Attack =>
  one.name === 'takes 8 GB' ? { ...one, source: 'x = bytearray(2**31 - 1)' } : one

describe('a hostile Python tool in Pyodide', () => {
  for (const one of attacksFor({ level: 'pyodide' }).map(in32Bits)) {
    test(one.name, async () => {
      expect(await attack(runner, one, prepared.targets)).toBeNull()
      expect(await prepared.findDamage()).toBeNull()
      expect(prepared.connections()).toBe(0)
      await expect.poll(() => listChildren(SCRIPT).length).toBeLessThanOrEqual(STANDBYS)
    })
  }
})
