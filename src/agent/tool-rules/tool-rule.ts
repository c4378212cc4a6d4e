/** A rule about the use of a tool, as agents keep it. */
export type ToolRule =
  | RuleOf<'run_first', { args: Record<string, unknown> | null }>
  | RuleOf<'exit_loop'>
  | RuleOf<'continue_loop'>
  | RuleOf<'constrain_child_tools', { children: string[]; child_arg_nodes: ChildArguments[] | null }>
  | RuleOf<'parent_last_tool', { children: string[] }>
  | RuleOf<
      'conditional',
      { child_output_mapping: Record<string, string>; default_child: string | null; require_output_mapping: boolean }
    >
  | RuleOf<'max_count_per_step', { max_count_limit: number }>
  | RuleOf<'required_before_exit'>
  | RuleOf<'requires_approval'>

type RuleOf<Type extends string, Fields = unknown> = { type: Type; tool_name: string } & Fields

/** Arguments that a child is called with, whatever the model wrote. */
export interface ChildArguments {
  name: string
  args?: Record<string, unknown> | null
}

/** A call of the present turn that was carried out. */
export interface PastCall {
  name: string
  /** The text of its result. */
  output: string
}

/** Rules of one type. */
export const rulesOf = <Type extends ToolRule['type']>(
  rules: readonly ToolRule[],
  type: Type,
): Extract<ToolRule, { type: Type }>[] =>
  rules.filter((rule): rule is Extract<ToolRule, { type: Type }> => rule.type === type)
