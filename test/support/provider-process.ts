import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('./fake-provider-process.ts', import.meta.url))

/** A fake model provider in a process of its own, so that it outlives the servers and costs them no time. */
export interface ProviderProcess {
  /** Base URL with `/v1`, as OPENAI_BASE_URL wants it. */
  url: string
  /** Requests that were not a valid transcript; a strict provider would refuse them. */
  violations(): Promise<{ requests: number; violations: unknown[] }>
  stop(): Promise<void>
}

export async function startProviderProcess(mode: string, delayMs = 0): Promise<ProviderProcess> {
  const child = spawn(process.execPath, [SCRIPT, '--mode', mode, '--delay-ms', String(delayMs)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })
  const [line] = (await once(lines, 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  return {
    url: `${url}/v1`,
    violations: async () =>
      (await (await fetch(`${url}/violations`)).json()) as { requests: number; violations: unknown[] },
    async stop() {
      child.kill()
      await once(child, 'exit')
    },
  }
}
