import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import { freePort } from './server-process.ts'

const require = createRequire(import.meta.url)

/** Scripts of the reference servers, for programs that Node runs. */
export const EVERYTHING = require.resolve('@modelcontextprotocol/server-everything/dist/index.js')
export const MEMORY = require.resolve('@modelcontextprotocol/server-memory/dist/index.js')
export const FILESYSTEM = require.resolve('@modelcontextprotocol/server-filesystem/dist/index.js')

/** The reference server with everything, in a process of its own. */
export async function startEverything(transport: 'sse' | 'streamableHttp') {
  const port = await freePort()
  const child = spawn(process.execPath, [EVERYTHING, transport], {
    env: { PATH: process.env.PATH ?? '', PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  }
  const exited = once(child, 'exit')
  await waitForPort(port, () => child.exitCode !== null)
  return {
    url: `http://127.0.0.1:${port}/${transport === 'sse' ? 'sse' : 'mcp'}`,
    /** Messages that it has received, by its own words. */
    messages: () => output.match(/Received MCP POST request|Client Message from/g)?.length ?? 0,
    /** Ends it at once; throws where it had ended before. */
    async kill() {
      if (!child.kill('SIGKILL')) throw new Error('the MCP server had ended before')
      await exited
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exited
    },
  }
}

async function waitForPort(port: number, isDead: () => boolean): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (isDead()) throw new Error('the MCP server ended before it listened')
    const answer = await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)
    if (answer !== undefined) return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  throw new Error('the MCP server does not listen')
}
