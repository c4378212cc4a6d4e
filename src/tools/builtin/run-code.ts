import { type BuiltinTool, type CodeRunner, failure, type ToolContext, type ToolOutcome } from '#tools/tool.ts'

const LANGUAGES = { python: 'python', js: 'typescript', ts: 'typescript' } as const
/** In V1's list, and run by no sandbox here. */
const OTHER_LANGUAGES = ['r', 'java']

const NO_SANDBOX = failure('Code was not run: this server has no sandbox.')

export const runCode: BuiltinTool = {
  name: 'run_code',
  description:
    'Run a program in a sandbox and get the value of its last expression with what it printed. It has no files of its own from call to call, and reaches only the network that the operator allows.',
  toolType: 'letta_builtin',
  durability: 'external',
  parameters: {
    type: 'object',
    properties: {
      code: { type: 'string', description: 'The program.' },
      language: {
        type: 'string',
        enum: [...Object.keys(LANGUAGES), ...OTHER_LANGUAGES],
        description: 'Its language: python, js (JavaScript) or ts (TypeScript).',
      },
    },
    required: ['code', 'language'],
  },
  async execute({ code, language }, context) {
    const known = LANGUAGES[String(language) as keyof typeof LANGUAGES]
    if (known === undefined) return failure(`This server runs no ${String(language)}. Use python, js or ts.`)
    return runProgram(context, { language: known, sourceCode: String(code), withTools: false })
  },
}

export const runCodeWithTools: BuiltinTool = {
  name: 'run_code_with_tools',
  description:
    'Run a Python program in a sandbox in which your own Python tools are functions that it can call, many of them in one go.',
  toolType: 'letta_builtin',
  durability: 'external',
  parameters: {
    type: 'object',
    properties: { code: { type: 'string', description: 'The program, in Python.' } },
    required: ['code'],
  },
  execute: ({ code }, context) =>
    runProgram(context, { language: 'python', sourceCode: String(code), withTools: true }),
}

async function runProgram(context: ToolContext, program: Parameters<CodeRunner['run']>[0]): Promise<ToolOutcome> {
  const runner = context.services?.code
  if (runner === undefined) return NO_SANDBOX
  const outcome = await runner.run(program, context)
  const { status, text, stdout, stderr } = outcome
  const isError = status === 'error'
  return {
    ...outcome,
    text: JSON.stringify({
      results: isError || text === '' ? [] : [text],
      logs: { stdout: stdout ?? [], stderr: stderr ?? [] },
      ...(isError ? { error: text } : {}),
    }),
  }
}
