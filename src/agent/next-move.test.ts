import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ToolReturn } from '#store/messages/message-row.ts'
import { engineOf } from './engines.ts'
import { moveAfterText, moveAfterTools, type NextMove } from './next-move.ts'
import { normalizeToolRules } from './normalize-tool-rules.ts'
import { findUncalled, solveToolRules } from './tool-rules/solve-tool-rules.ts'
import type { PastCall, ToolRule } from './tool-rules/tool-rule.ts'

const TOOLS = ['a', 'b', 'c', 'd']
const PRESENT = engineOf('letta_v1_agent')
const LEGACY = engineOf('memgpt_agent')
const rules = (...given: Record<string, unknown>[]) => normalizeToolRules(given) as unknown as ToolRule[]

const result = (name: string, over: Partial<ToolReturn> = {}): ToolReturn => ({
  tool_call_id: name,
  name,
  status: 'success',
  text: 'x',
  stdout: null,
  stderr: null,
  time: '',
  ...over,
})
const call = (name: string, args = {}) => ({ tool_call_id: name, name, arguments: JSON.stringify(args) })

function after(engine: typeof PRESENT, given: ToolRule[], name: string, args = {}, over: Partial<ToolReturn> = {}) {
  const history = [{ name, output: 'x' }]
  return moveAfterTools({ engine, rules: given, history, available: TOOLS }, [call(name, args)], [result(name, over)])
}

describe('after a call', () => {
  it('agents of today go on, unless a rule ends the turn', () => {
    expect(after(PRESENT, [], 'a')).toEqual({ kind: 'step', heartbeat: null })
    const exit = rules({ type: 'exit_loop', tool_name: 'a' })
    expect(after(PRESENT, exit, 'a')).toEqual({ kind: 'end', stopReason: 'tool_rule' })
    expect(after(PRESENT, exit, 'a', {}, { is_violation: true })).toMatchObject({ kind: 'step' })
    expect(after(PRESENT, [], 'a', {}, { is_fatal: true })).toEqual({ kind: 'end', stopReason: 'invalid_tool_call' })
  })

  it('older ones stop, unless they ask, a rule says so, or the call failed', () => {
    expect(after(LEGACY, [], 'a')).toEqual({ kind: 'end', stopReason: 'end_turn' })
    expect(after(LEGACY, [], 'a', { request_heartbeat: true })).toMatchObject({ kind: 'step' })
    expect(after(LEGACY, [], 'a', { request_heartbeat: 'True' })).toMatchObject({ kind: 'step' })
    expect(after(LEGACY, [], 'a', {}, { status: 'error' })).toMatchObject({ kind: 'step' })
    expect(after(LEGACY, rules({ type: 'continue_loop', tool_name: 'a' }), 'a')).toMatchObject({ kind: 'step' })
    const child = rules({ type: 'constrain_child_tools', tool_name: 'a', children: ['b'] })
    expect(after(LEGACY, child, 'a')).toEqual({ kind: 'step', heartbeat: 'Continuing: child tool rule.' })
    const exit = rules({ type: 'exit_loop', tool_name: 'a' })
    expect(after(LEGACY, exit, 'a')).toEqual({ kind: 'end', stopReason: 'end_turn' })
    expect(after(LEGACY, exit, 'a', { request_heartbeat: true })).toEqual({ kind: 'end', stopReason: 'tool_rule' })
  })

  it('nobody stops while a tool must be called', () => {
    const given = rules({ type: 'exit_loop', tool_name: 'a' }, { type: 'required_before_exit', tool_name: 'b' })
    for (const engine of [PRESENT, LEGACY]) {
      expect(after(engine, given, 'a')).toEqual({
        kind: 'step',
        heartbeat: 'ToolRuleViolated: You must call b at least once to exit the loop.',
      })
    }
  })
})

/** A model that does what it must, and stops as soon as it may. */
function obey(engine: typeof PRESENT, given: ToolRule[], maxSteps: number): { steps: number; move: NextMove } {
  const history: PastCall[] = []
  let demanded: string[] = []
  let move: NextMove = { kind: 'step', heartbeat: null }
  let steps = 0
  for (; steps < maxSteps && move.kind === 'step'; steps += 1) {
    const { allowed, isForced } = solveToolRules(given, history, TOOLS, demanded)
    const [name] = allowed
    if (name !== undefined && (isForced || (engine.mustCall && allowed.length > 0))) {
      history.push({ name, output: 'x' })
      move = moveAfterTools({ engine, rules: given, history, available: TOOLS }, [call(name)], [result(name)])
    } else {
      move = moveAfterText({ engine, rules: given, history, available: TOOLS }, engine.mustCall && allowed.length > 0)
    }
    demanded = move.kind === 'step' ? findUncalled(given, history, TOOLS) : []
  }
  return { steps, move }
}

const name = fc.constantFrom(...TOOLS, 'gone')
const anyRule: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({ type: fc.constantFrom('run_first', 'exit_loop', 'required_before_exit'), tool_name: name }),
  fc.record({ type: fc.constant('parent_last_tool'), tool_name: name, children: fc.array(name, { maxLength: 3 }) }),
  fc.record({ type: fc.constant('max_count_per_step'), tool_name: name, max_count_limit: fc.nat({ max: 2 }) }),
)

it.each(['letta_v1_agent', 'memgpt_agent'])(
  'a turn of %s with an obedient model ends by itself, whatever the rules, unless they send it in a circle',
  (type) => {
    void fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 8 }), (given) => {
        const set = rules(...given)
        // a tool that may only follow one that may not be called is out of reach: then the limit of steps ends the turn
        const reachable = set.every((rule) => rule.type !== 'parent_last_tool')
        const { steps, move } = obey(engineOf(type), set, 50)
        if (reachable) {
          expect(move.kind).toBe('end')
          expect(steps).toBeLessThanOrEqual(2 + 2 * TOOLS.length)
        }
      }),
      { numRuns: 500 },
    )
  },
)
