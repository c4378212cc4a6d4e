import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const LAUNCHER = fileURLToPath(new URL('./locked-down-pod.py', import.meta.url))
/** What the launcher says when the pod itself could not be had. */
const NOT_BUILT = 125
const OUTPUT_LIMIT_BYTES = 64 * 1024 * 1024

/** Why no pod can be imitated here, for the reason of a skipped test; null where it can. */
export const whyNoPod =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'A locked-down pod can only be imitated by root on Linux: run this test as root.'
    : null

export interface PodResult {
  exitCode: number
  stdout: string
  stderr: string
}

/**
 * Runs a program in an imitation of a locked-down pod (`locked-down-pod.py`) with an environment of its own and waits for its end. Throws where the
 * pod could not be built.
 */
export function runInPod(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<PodResult> {
  return new Promise((resolve, reject) => {
    execFile(
      '/usr/bin/python3',
      ['-I', '-S', '-B', LAUNCHER, command, ...args],
      {
        env: { PATH: '/usr/local/bin:/usr/bin:/bin', ...options.env },
        maxBuffer: OUTPUT_LIMIT_BYTES,
        timeout: options.timeoutMs ?? 300_000,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) => {
        const exitCode = error === null ? 0 : typeof error.code === 'number' ? error.code : -1
        if (exitCode === NOT_BUILT || exitCode === -1) reject(new Error(`no pod: ${stderr || error?.message}`))
        else resolve({ exitCode, stdout, stderr })
      },
    )
  })
}
