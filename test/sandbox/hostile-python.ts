import type { ToolCall, ToolLimits, ToolRunner, ToolRunResult } from '../../src/tools/sandbox/tool-runner.ts'
import { type Attack, type AttackTargets, PRELUDE, show } from './attacks/attack.ts'
import { ATTACKS_ON_FILES } from './attacks/attacks-on-files.ts'
import { ATTACKS_ON_LIMITS } from './attacks/attacks-on-limits.ts'
import { ATTACKS_ON_PROCESSES } from './attacks/attacks-on-processes.ts'
import { ATTACKS_ON_REPLIES } from './attacks/attacks-on-replies.ts'

/** Everything that a hostile Python tool may try, for every runner of Python. */
export const PYTHON_ATTACKS: readonly Attack[] = [
  ...ATTACKS_ON_FILES,
  ...ATTACKS_ON_PROCESSES,
  ...ATTACKS_ON_LIMITS,
  ...ATTACKS_ON_REPLIES,
]

const MIB = 1024 * 1024
export const ATTACK_LIMITS: ToolLimits = {
  wallMs: 20_000,
  cpuSeconds: 15,
  memoryBytes: 256 * MIB,
  outputChars: 20_000,
  resultChars: 20_000,
  scratchBytes: 32 * MIB,
}

/** A program that is run as a call without anything else. */
export function toCall(sourceCode: string, more: Partial<ToolCall> = {}): ToolCall {
  return {
    language: 'python',
    sourceCode,
    functionName: null,
    args: {},
    env: {},
    agentState: null,
    packages: null,
    network: { kind: 'none' },
    limits: ATTACK_LIMITS,
    ...more,
  }
}

export function runProgram(runner: ToolRunner, source: string, more: Partial<ToolCall> = {}): Promise<ToolRunResult> {
  return runner.run(toCall(source, more), new AbortController().signal)
}

/** Runs an attack and then an ordinary call; the problem, or null where the sandbox held and the next call was served. */
export async function attack(runner: ToolRunner, one: Attack, targets: AttackTargets): Promise<string | null> {
  const result = await runProgram(runner, PRELUDE + one.source, {
    env: { ...one.env, TARGETS: JSON.stringify({ ...targets, secret: undefined }) },
    limits: { ...ATTACK_LIMITS, ...one.limits },
    network: one.network ?? { kind: 'none' },
  })
  const problem = one.check(result, targets)
  if (problem !== null) return problem
  const next = await runProgram(runner, '6 * 7')
  return next.status === 'success' && next.text === '42' ? null : `the next call ended with ${show(next)}`
}

export const attacksFor = (runner: Pick<ToolRunner, 'level'>): readonly Attack[] =>
  PYTHON_ATTACKS.filter(({ levels }) => levels === undefined || levels.includes(runner.level))
