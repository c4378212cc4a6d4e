import { listPythonSources } from '#store/tools/load-tool-code.ts'
import { DEFAULT_RETURN_CHAR_LIMIT } from './create-tool.ts'
import type { CustomTools } from './custom-tools.ts'
import type { CodeRunner, ToolContext, ToolOutcome } from './tool.ts'

type Code = Parameters<CodeRunner['run']>[0]

/** Runs programs that a model has written, in the sandbox, with the variables and secrets of its agent. */
export class SandboxedCode implements CodeRunner {
  readonly #customTools: CustomTools

  constructor(customTools: CustomTools) {
    this.#customTools = customTools
  }

  async run({ language, sourceCode, withTools }: Code, context: ToolContext): Promise<ToolOutcome> {
    const { organizationId, agentId, blocks, conversationId, runId, db, signal } = context
    const tools = withTools ? await listPythonSources(db, organizationId, agentId) : []
    return this.#customTools.runSource(
      {
        organizationId,
        language,
        sourceCode: [...tools.map((tool) => tool.source_code ?? ''), sourceCode].join('\n\n'),
        functionName: null,
        args: {},
        env: {},
        requirements: tools.flatMap((tool) => tool.pip_requirements ?? []),
        network: undefined,
        agent: { id: agentId, blocks, conversationId, runId },
        returnCharLimit: DEFAULT_RETURN_CHAR_LIMIT,
      },
      signal,
    )
  }
}
