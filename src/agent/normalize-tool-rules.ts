import { unprocessable } from '#platform/errors.ts'

type Check = (value: unknown) => boolean
interface Field {
  /** Undefined where the field must be given. */
  fallback?: unknown
  fits: Check
  /** What fits, in words. */
  is: string
}

const isObject: Check = (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
const isNames: Check = (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== '')
const isMapping: Check = (value) =>
  isObject(value) && Object.values(value as object).every((name) => typeof name === 'string')
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isArgumentNodes: Check = (value) =>
  Array.isArray(value) &&
  value.every((node) => isObject(node) && typeof node.name === 'string' && (node.args == null || isObject(node.args)))
const orNull =
  (check: Check): Check =>
  (value) =>
    value === null || check(value)

const CHILDREN: Field = { fits: isNames, is: 'a list of names of tools' }

/** Fields that a rule of each type has beside `tool_name`, `type` and `prompt_template`. */
const FIELDS: Record<string, Record<string, Field>> = {
  constrain_child_tools: {
    children: CHILDREN,
    child_arg_nodes: { fallback: null, fits: orNull(isArgumentNodes), is: 'a list of {name, args} or null' },
  },
  run_first: { args: { fallback: null, fits: orNull(isObject), is: 'an object or null' } },
  exit_loop: {},
  conditional: {
    default_child: { fallback: null, fits: orNull((value) => typeof value === 'string'), is: 'a name or null' },
    child_output_mapping: { fits: isMapping, is: 'an object from outputs to names of tools' },
    require_output_mapping: { fallback: false, fits: (value) => typeof value === 'boolean', is: 'true or false' },
  },
  continue_loop: {},
  required_before_exit: {},
  max_count_per_step: { max_count_limit: { fits: isCount, is: 'a whole number of 0 or more' } },
  parent_last_tool: { children: CHILDREN },
  requires_approval: {},
}
export const TOOL_RULE_TYPES = Object.keys(FIELDS)

type NormalRule = Record<string, unknown> & { type: string; tool_name: string }

/**
 * The rules with every field of their type and no others, the same rule once. Throws unprocessable where a field is missing or does
 * not fit.
 */
export function normalizeToolRules(rules: readonly Record<string, unknown>[]): NormalRule[] {
  const unique = new Map<string, NormalRule>()
  for (const rule of rules) {
    const complete = normalize(rule)
    unique.set(JSON.stringify(complete, sortKeys), complete)
  }
  return [...unique.values()]
}

/** Objects with the same members in another order are the same. */
const sortKeys = (_key: string, value: unknown): unknown =>
  isObject(value)
    ? Object.fromEntries(Object.entries(value as object).sort(([one], [other]) => (one < other ? -1 : 1)))
    : value

function normalize(rule: Record<string, unknown>): NormalRule {
  const { tool_name: toolName, type } = rule
  const fields = typeof type === 'string' ? FIELDS[type] : undefined
  if (typeof type !== 'string' || fields === undefined) {
    throw unprocessable(`A tool rule needs a type, one of ${TOOL_RULE_TYPES.join(', ')}.`)
  }
  if (typeof toolName !== 'string') throw unprocessable(`The tool rule of type ${type} needs a tool_name.`)
  const complete: NormalRule = { tool_name: toolName, type, prompt_template: rule.prompt_template ?? null }
  for (const [field, { fallback, fits, is }] of Object.entries(fields)) {
    const value = rule[field] ?? fallback
    if (value === undefined) throw unprocessable(`The tool rule ${type} of ${toolName} needs ${field}.`)
    if (!fits(value)) throw unprocessable(`The tool rule ${type} of ${toolName}: ${field} must be ${is}.`)
    complete[field] = value
  }
  return complete
}
