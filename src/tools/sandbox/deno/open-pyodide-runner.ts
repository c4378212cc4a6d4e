import type { ToolRunner } from '#tools/sandbox/tool-runner.ts'
import { findDenoBinary } from './deno-binary.ts'
import { type DenoLanguage, DenoRunner, type DenoRunnerOptions, measureBaseline } from './deno-runner.ts'
import { openDenoRunner } from './open-deno-runner.ts'
import { findPyodide, openSnapshot } from './pyodide-snapshot.ts'

export interface PyodideRunnerOptions extends DenoRunnerOptions {
  /** Where the snapshot of Pyodide is kept from one start of the server to the next (31 MB). */
  cacheDir?: string
}

/** Seconds of the processor that Pyodide takes until it waits for a call; measured 0.5 on one core. */
const START_CPU_SECONDS = 2

/**
 * A runner for Python in Pyodide, for machines on which CPython cannot be confined. Makes the snapshot that its processes start from, if it is
 * not there (3 s). Throws SandboxUnavailable.
 */
export async function openPyodideRunner(options: PyodideRunnerOptions): Promise<ToolRunner> {
  const binary = findDenoBinary()
  const pyodide = findPyodide()
  // the same flags and the same permissions but for files of Pyodide's own
  await (await openDenoRunner({ ...options, standbys: 0 }))[Symbol.asyncDispose]()
  const snapshot = await openSnapshot(binary, pyodide, options.cacheDir)
  const language: DenoLanguage = {
    level: 'pyodide',
    language: 'python',
    script: './pyodide-runner.mjs',
    scriptArgs: [pyodide, snapshot.path],
    readable: [pyodide, snapshot.path],
    startCpuSeconds: START_CPU_SECONDS,
    prepare: async ({ sourceCode }) => ({ source: sourceCode }),
    dispose: () => snapshot.dispose(),
  }
  try {
    return new DenoRunner(binary, language, options, await measureBaseline(binary, language, options))
  } catch (error) {
    await snapshot.dispose()
    throw error
  }
}
