import type { ToolRule } from './tool-rule.ts'

const INTRODUCTION =
  'These rules say which tools you may use when. Keep to them; a call that breaks one is refused. One response can hold several tool calls.'

const listOf = (names: readonly string[]): string => names.join(', ')

/** A rule in words; undefined for rules that the model need not know. */
export function renderToolRule(rule: ToolRule): string | undefined {
  const { tool_name: name } = rule
  switch (rule.type) {
    case 'constrain_child_tools':
      return `After using ${name}, you must use one of these tools: ${listOf(rule.children)}`
    case 'parent_last_tool':
      return `${listOf(rule.children)} can only be used after ${name}`
    case 'conditional':
      return `${name} will determine which tool to use next based on its output`
    case 'exit_loop':
      return `${name} ends your response (yields control) when called`
    case 'continue_loop':
      return `${name} requires continuing your response when called`
    case 'max_count_per_step':
      return `${name}: at most ${rule.max_count_limit} use(s) per response`
    case 'required_before_exit':
      return `${name} must be called before ending the conversation`
    default:
      return undefined
  }
}

/** The section of the system prompt about rules; undefined where there is nothing to say. Pure: same rules, same bytes. */
export function renderToolRules(rules: readonly ToolRule[]): string | undefined {
  const lines = rules.flatMap((rule) => renderToolRule(rule) ?? [])
  if (lines.length === 0) return undefined
  const rendered = lines.map((line) => `<tool_rule>\n${line}\n</tool_rule>`)
  return ['<tool_usage_rules>', INTRODUCTION, '', ...rendered, '</tool_usage_rules>'].join('\n')
}

/** What a model is told of a call that breaks the rules. */
export function describeViolation(rules: readonly ToolRule[], name: string, allowed: readonly string[]): string {
  const about = rules.filter(
    (rule) =>
      rule.tool_name === name ||
      ('children' in rule && rule.children.includes(name)) ||
      rule.type === 'run_first' ||
      rule.type === 'constrain_child_tools' ||
      rule.type === 'conditional',
  )
  const hints = [...new Set(about.flatMap((rule) => hintOf(rule) ?? []))]
  const hint = hints.length === 0 ? '' : `\n** Hint: ${hints.join('; ')}`
  return `[ToolConstraintError] Cannot call ${name}, valid tools include: [${allowed.map((tool) => `'${tool}'`).join(', ')}].${hint}`
}

const hintOf = (rule: ToolRule): string | undefined =>
  rule.type === 'run_first' ? `${rule.tool_name} must be called first` : renderToolRule(rule)
