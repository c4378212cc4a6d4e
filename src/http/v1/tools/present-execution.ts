import type { ToolOutcome } from '#tools/tool.ts'

/** What a tool gave, as the wire's ToolExecutionResult. */
export function presentExecution({ status, text }: ToolOutcome) {
  return {
    status,
    func_return: text,
    agent_state: null,
    stdout: [],
    stderr: status === 'error' ? [text] : [],
    sandbox_config_fingerprint: null,
  }
}
