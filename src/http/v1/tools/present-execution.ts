import type { ToolOutcome } from '#tools/tool.ts'

/** What a tool gave, as the wire's ToolExecutionResult. */
export function presentExecution({ status, text, stdout, stderr }: ToolOutcome) {
  return {
    status,
    func_return: text,
    agent_state: null,
    stdout: stdout ?? [],
    // V1 has the error there too
    stderr: stderr !== null && stderr !== undefined && stderr.length > 0 ? stderr : status === 'error' ? [text] : [],
    sandbox_config_fingerprint: null,
  }
}
