import { join } from 'node:path'
import type { Logger } from '#platform/logger.ts'
import { DEFAULT_RETURN_CHAR_LIMIT } from '#tools/create-tool.ts'
import { Sandbox } from './sandbox.ts'
import type { SandboxLevel, ToolLimits } from './tool-runner.ts'

/** Characters of stdout and of stderr that are kept. */
const OUTPUT_CHARACTERS = 20_000
const MIB = 1024 * 1024

/** What the operator says of the sandbox. */
export interface SandboxSettings {
  pythonSandbox: 'auto' | 'cpython' | 'pyodide' | 'off'
  pythonPath: string | undefined
  typescriptSandbox: 'deno' | 'off'
  toolTimeoutMs: number
  toolMemoryBytes: number
  toolConcurrency: number
  toolAddresses: 'public' | 'any'
  cacheDir: string
}

const PYTHON_LEVELS: Record<SandboxSettings['pythonSandbox'], readonly SandboxLevel[]> = {
  auto: ['cpython', 'pyodide'],
  cpython: ['cpython'],
  pyodide: ['pyodide'],
  off: [],
}

/** What each call of a tool may use. */
export const toolLimits = (settings: SandboxSettings): Omit<ToolLimits, 'resultChars'> => ({
  wallMs: settings.toolTimeoutMs,
  // all of its time on one core
  cpuSeconds: Math.max(1, Math.ceil(settings.toolTimeoutMs / 1000)),
  memoryBytes: settings.toolMemoryBytes,
  outputChars: OUTPUT_CHARACTERS,
  scratchBytes: 64 * MIB,
})

/** The sandbox as the operator wants it. Nothing is started, and no driver loaded, before the first call. */
export function openSandbox(settings: SandboxSettings, logger: Logger): Sandbox {
  const shared = {
    logger,
    maxConcurrent: settings.toolConcurrency,
    limits: { ...toolLimits(settings), resultChars: DEFAULT_RETURN_CHAR_LIMIT },
    allowsPrivateAddresses: settings.toolAddresses === 'any',
  }
  return new Sandbox({
    logger,
    levels: {
      python: PYTHON_LEVELS[settings.pythonSandbox],
      typescript: settings.typescriptSandbox === 'off' ? [] : [settings.typescriptSandbox],
    },
    open: {
      async cpython() {
        const { openCpythonRunner } = await import('./python/open-cpython-runner.ts')
        return openCpythonRunner({ ...shared, pythonPath: settings.pythonPath })
      },
      async pyodide() {
        const { openPyodideRunner } = await import('./deno/open-pyodide-runner.ts')
        return openPyodideRunner({ ...shared, cacheDir: join(settings.cacheDir, 'pyodide') })
      },
      async deno() {
        const { openDenoRunner } = await import('./deno/open-deno-runner.ts')
        return openDenoRunner(shared)
      },
    },
  })
}
