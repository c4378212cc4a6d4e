import type { ToolRunner, ToolRunResult } from '#tools/sandbox/tool-runner.ts'
import { findDenoBinary } from './deno-binary.ts'
import { type DenoLanguage, type DenoRunnerOptions, openRunner, testSandbox } from './deno-runner.ts'
import { TypeStripper } from './strip-types.ts'

/**
 * A runner for TypeScript (and JavaScript) in Deno. Types are removed here, before the source is sent: in Deno that would take
 * 150 ms in every process. Throws SandboxUnavailable.
 */
export async function openDenoRunner(options: DenoRunnerOptions): Promise<ToolRunner> {
  const stripper = new TypeStripper()
  const language: DenoLanguage = {
    level: 'deno',
    language: 'typescript',
    script: './typescript-runner.mjs',
    readable: [],
    startCpuSeconds: 0,
    dispose: () => stripper[Symbol.asyncDispose](),
    prepare: async ({ sourceCode }) => {
      const stripped = await stripper.strip(sourceCode)
      return stripped.kind === 'code' ? { source: stripped.code } : { failure: syntaxError(stripped.message) }
    },
  }
  const runner = await openRunner(findDenoBinary(), language, options)
  await testSandbox(runner, options.limits)
  return runner
}

const syntaxError = (message: string): ToolRunResult => ({
  status: 'error',
  kind: 'exception',
  type: 'SyntaxError',
  message,
  stdout: [],
  stderr: [`SyntaxError: ${message}`],
})
