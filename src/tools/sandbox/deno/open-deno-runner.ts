import type { ToolRunner, ToolRunResult } from '#tools/sandbox/tool-runner.ts'
import { findDenoBinary } from './deno-binary.ts'
import { type DenoLanguage, DenoRunner, type DenoRunnerOptions, measureBaseline } from './deno-runner.ts'
import { testSandbox } from './self-test.ts'
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
    scriptArgs: [],
    readable: [],
    startCpuSeconds: 0,
    dispose: () => stripper[Symbol.asyncDispose](),
    prepare: async ({ sourceCode }) => {
      const stripped = await stripper.strip(sourceCode)
      return stripped.kind === 'code' ? { source: stripped.code } : { failure: syntaxError(stripped.message) }
    },
  }
  const binary = findDenoBinary()
  const baselineBytes = await measureBaseline(binary, language, options)
  // by a runner of its own: nothing stands by before the first call
  await using probe = new DenoRunner(binary, { ...language, dispose }, { ...options, standbys: 0 }, baselineBytes)
  await testSandbox(probe, options.limits)
  return new DenoRunner(binary, language, options, baselineBytes)
}

const dispose = async (): Promise<void> => undefined

const syntaxError = (message: string): ToolRunResult => ({
  status: 'error',
  kind: 'exception',
  type: 'SyntaxError',
  message,
  stdout: [],
  stderr: [`SyntaxError: ${message}`],
})
