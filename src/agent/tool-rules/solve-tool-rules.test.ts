import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { normalizeToolRules } from '#agent/normalize-tool-rules.ts'
import { matchesOutput } from './matches-output.ts'
import { describeViolation, renderToolRules } from './render-tool-rules.ts'
import { findUncalled, prefilledArguments, solveToolRules } from './solve-tool-rules.ts'
import type { PastCall, ToolRule } from './tool-rule.ts'

const TOOLS = ['a', 'b', 'c', 'd']
const rules = (...given: Record<string, unknown>[]) => normalizeToolRules(given) as unknown as ToolRule[]
const called = (...names: string[]): PastCall[] => names.map((name) => ({ name, output: 'fine' }))
const allowed = (given: ToolRule[], history: PastCall[] = []) => solveToolRules(given, history, TOOLS).allowed

describe('solveToolRules', () => {
  it('allows everything where no rule speaks', () => {
    expect(solveToolRules([], [], TOOLS)).toEqual({ allowed: TOOLS, isForced: false })
  })

  it('run_first: only these at the beginning, and one of them; everything after', () => {
    const first = rules({ type: 'run_first', tool_name: 'b' }, { type: 'run_first', tool_name: 'd' })
    expect(solveToolRules(first, [], TOOLS)).toEqual({ allowed: ['b', 'd'], isForced: true })
    expect(solveToolRules(first, called('b'), TOOLS)).toEqual({ allowed: TOOLS, isForced: false })
    expect(solveToolRules(rules({ type: 'run_first', tool_name: 'gone' }), [], TOOLS).allowed).toEqual(TOOLS)
  })

  it('constrain_child_tools: one of the children comes next, and only next', () => {
    const child = rules({ type: 'constrain_child_tools', tool_name: 'a', children: ['b', 'c', 'gone'] })
    expect(solveToolRules(child, called('a'), TOOLS)).toEqual({ allowed: ['b', 'c'], isForced: true })
    expect(solveToolRules(child, called('a', 'b'), TOOLS)).toEqual({ allowed: TOOLS, isForced: false })
  })

  it('parent_last_tool: only right after the parent', () => {
    const parent = rules({ type: 'parent_last_tool', tool_name: 'a', children: ['b'] })
    expect(allowed(parent)).toEqual(['a', 'c', 'd'])
    expect(allowed(parent, called('a'))).toEqual(TOOLS)
    expect(allowed(parent, called('a', 'c'))).toEqual(['a', 'c', 'd'])
  })

  it.each([
    ['True', ['b']],
    ['1.0', ['c']],
    ['"word"', ['d']],
    ['word', ['d']],
    ['something else', ['a']],
  ])('conditional: the output %s chooses', (output, next) => {
    const rule = rules({
      type: 'conditional',
      tool_name: 'a',
      child_output_mapping: { true: 'b', '1': 'c', word: 'd' },
      default_child: 'a',
    })
    expect(allowed(rule, [{ name: 'a', output }])).toEqual(next)
  })

  it('conditional without a match: anything, or nothing where a match is needed', () => {
    const rule = { type: 'conditional', tool_name: 'a', child_output_mapping: { x: 'b' } }
    expect(solveToolRules(rules(rule), called('a'), TOOLS)).toEqual({ allowed: TOOLS, isForced: false })
    const strict = rules({ ...rule, require_output_mapping: true })
    expect(solveToolRules(strict, called('a'), TOOLS)).toEqual({ allowed: [], isForced: false })
  })

  it('max_count_per_step: counts each call once', () => {
    const twice = rules({ type: 'max_count_per_step', tool_name: 'a', max_count_limit: 2 })
    expect(allowed(twice, called('a'))).toEqual(TOOLS)
    expect(allowed(twice, called('a', 'b', 'a'))).toEqual(['b', 'c', 'd'])
  })

  it('required_before_exit: says what is missing, unless it cannot be called', () => {
    const required = rules({ type: 'required_before_exit', tool_name: 'c' })
    expect(findUncalled(required, called('a'), TOOLS)).toEqual(['c'])
    expect(findUncalled(required, called('c'), TOOLS)).toEqual([])
    expect(findUncalled(required, called('a'), ['a', 'b'])).toEqual([])
    const never = rules({ type: 'max_count_per_step', tool_name: 'c', max_count_limit: 0 })
    expect(findUncalled([...required, ...never], called('a'), TOOLS)).toEqual([])
    expect(solveToolRules(required, called('a'), TOOLS, ['c'])).toEqual({ allowed: ['c'], isForced: true })
  })

  it('gives arguments that a rule sets for the call that comes next', () => {
    const first = rules({ type: 'run_first', tool_name: 'a', args: { x: 1 } })
    expect(prefilledArguments(first, [], 'a')).toEqual({ x: 1 })
    expect(prefilledArguments(first, called('b'), 'a')).toBeUndefined()
    const child = rules({
      type: 'constrain_child_tools',
      tool_name: 'a',
      children: ['b'],
      child_arg_nodes: [{ name: 'b', args: { y: 2 } }],
    })
    expect(prefilledArguments(child, called('a'), 'b')).toEqual({ y: 2 })
    expect(prefilledArguments(child, called('a'), 'c')).toBeUndefined()
  })
})

const name = fc.constantFrom(...TOOLS, 'gone')
const names = fc.uniqueArray(name, { maxLength: 3 })
const anyRule: fc.Arbitrary<Record<string, unknown>> = fc.oneof(
  fc.record({
    type: fc.constantFrom('run_first', 'exit_loop', 'continue_loop', 'required_before_exit', 'requires_approval'),
    tool_name: name,
  }),
  fc.record({ type: fc.constantFrom('constrain_child_tools', 'parent_last_tool'), tool_name: name, children: names }),
  fc.record({ type: fc.constant('max_count_per_step'), tool_name: name, max_count_limit: fc.nat({ max: 2 }) }),
  fc.record({
    type: fc.constant('conditional'),
    tool_name: name,
    child_output_mapping: fc.dictionary(fc.constantFrom('x', 'y', 'true'), name),
    default_child: fc.option(name),
    require_output_mapping: fc.boolean(),
  }),
)
const anyHistory = fc.array(fc.record({ name, output: fc.constantFrom('x', 'y', 'True', '') }), { maxLength: 6 })

describe('whatever the rules are', () => {
  it('the allowed are some of what there is; a call is forced only where there is one; nothing is demanded in a dead end', () => {
    void fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 6 }), anyHistory, (given, history) => {
        const set = normalizeToolRules(given) as unknown as ToolRule[]
        const { allowed: open, isForced } = solveToolRules(set, history, TOOLS)
        expect(open.every((tool) => TOOLS.includes(tool))).toBe(true)
        expect(isForced && open.length === 0).toBe(false)
        const demanded = findUncalled(set, history, TOOLS)
        if (open.length === 0) expect(demanded).toEqual([])
        const retry = solveToolRules(set, history, TOOLS, demanded)
        expect(retry.allowed.every((tool) => open.includes(tool))).toBe(true)
        if (demanded.length > 0) expect(retry.isForced).toBe(true)
      }),
      { numRuns: 500 },
    )
  })
})

it('compares values, not their spelling', () => {
  expect(matchesOutput('true', 'True')).toBe(true)
  expect(matchesOutput('None', 'null')).toBe(true)
  expect(matchesOutput('1', 'true')).toBe(false)
  expect(matchesOutput('01x', '1x')).toBe(false)
})

it('says the rules in a section of the prompt, the same each time', () => {
  const given = rules(
    { type: 'constrain_child_tools', tool_name: 'a', children: ['b', 'c'] },
    { type: 'parent_last_tool', tool_name: 'a', children: ['d'] },
    { type: 'conditional', tool_name: 'b', child_output_mapping: { x: 'c' } },
    { type: 'exit_loop', tool_name: 'c' },
    { type: 'continue_loop', tool_name: 'a' },
    { type: 'max_count_per_step', tool_name: 'a', max_count_limit: 3 },
    { type: 'required_before_exit', tool_name: 'd' },
    { type: 'requires_approval', tool_name: 'd' },
    { type: 'run_first', tool_name: 'a' },
  )
  const section = renderToolRules(given)
  expect(section).toMatch(/^<tool_usage_rules>\n[^\n]+\n\n<tool_rule>\n/)
  expect(section?.match(/<tool_rule>\n(.+)\n<\/tool_rule>/g)).toHaveLength(7)
  expect(section).toContain('<tool_rule>\nAfter using a, you must use one of these tools: b, c\n</tool_rule>')
  expect(section).toContain('\na: at most 3 use(s) per response\n')
  expect(renderToolRules(rules({ type: 'requires_approval', tool_name: 'a' }))).toBeUndefined()
})

it('tells the model what it may call instead', () => {
  const given = rules({ type: 'constrain_child_tools', tool_name: 'a', children: ['b'] })
  expect(describeViolation(given, 'c', ['b'])).toBe(
    "[ToolConstraintError] Cannot call c, valid tools include: ['b'].\n** Hint: After using a, you must use one of these tools: b",
  )
})
