import { invalidArgument, unprocessable } from '#platform/errors.ts'

/** Fields that a rule of each type has beside `tool_name`, `type` and `prompt_template`, with their defaults. */
const FIELDS: Record<string, Record<string, unknown>> = {
  constrain_child_tools: { children: undefined, child_arg_nodes: null },
  run_first: { args: null },
  exit_loop: {},
  conditional: { default_child: null, child_output_mapping: undefined, require_output_mapping: false },
  continue_loop: {},
  required_before_exit: {},
  max_count_per_step: { max_count_limit: undefined },
  parent_last_tool: { children: undefined },
  requires_approval: {},
}
export const TOOL_RULE_TYPES = Object.keys(FIELDS)

/** Rules that the loop keeps: the others would be stored and have no effect, which is worse than a refusal. */
const KEPT_TYPES = new Set(['exit_loop', 'continue_loop', 'requires_approval'])

export type ToolRule = Record<string, unknown> & { type: string; tool_name: string }

/** The rules with every field of their type and no others, the same rule once. Throws unprocessable where a field is missing. */
export function normalizeToolRules(rules: readonly Record<string, unknown>[]): ToolRule[] {
  const unique = new Map<string, ToolRule>()
  for (const rule of rules) {
    const complete = normalize(rule)
    unique.set(JSON.stringify(complete), complete)
  }
  return [...unique.values()]
}

function normalize(rule: Record<string, unknown>): ToolRule {
  const { tool_name: toolName, type } = rule
  const fields = typeof type === 'string' ? FIELDS[type] : undefined
  if (typeof type !== 'string' || fields === undefined) {
    throw unprocessable(`A tool rule needs a type, one of ${TOOL_RULE_TYPES.join(', ')}.`)
  }
  if (typeof toolName !== 'string') throw unprocessable(`The tool rule of type ${type} needs a tool_name.`)
  const complete: ToolRule = { tool_name: toolName, type, prompt_template: rule.prompt_template ?? null }
  for (const [field, fallback] of Object.entries(fields)) {
    const value = rule[field] ?? fallback
    if (value === undefined) throw unprocessable(`The tool rule ${type} of ${toolName} needs ${field}.`)
    complete[field] = value
  }
  if (!KEPT_TYPES.has(type)) {
    throw invalidArgument(
      `INVALID_ARGUMENT: tool rules of type ${type} are not available in this version. Leave the rule for ${toolName} out.`,
    )
  }
  return complete
}
