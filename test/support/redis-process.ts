import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createClient } from '@redis/client'
import { freePort } from './server-process.ts'

const START_TIMEOUT_MS = 10_000

/** A Redis of its own, in a process that can be mistreated. */
export interface RedisProcess extends AsyncDisposable {
  port: number
  url: string
  /** Ends it with -9. Throws if it had ended before. */
  kill(): Promise<void>
  /** Starts it again on the same port, empty. */
  start(): Promise<void>
  /** SIGSTOP: it accepts connections and says nothing. */
  freeze(): void
  thaw(): void
  /** One command, over a connection of its own. */
  command(...args: string[]): Promise<unknown>
}

export async function startRedisProcess(): Promise<RedisProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'perdure-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let child: ChildProcess | undefined

  const command = async (...args: string[]): Promise<unknown> => {
    const client = createClient({ url, socket: { reconnectStrategy: false, connectTimeout: 1000 } })
    client.on('error', () => {})
    await client.connect()
    try {
      return await client.sendCommand(args)
    } finally {
      client.destroy()
    }
  }
  const start = async () => {
    const started = spawn(
      'redis-server',
      ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', directory],
      { stdio: 'ignore' },
    )
    child = started
    for (const until = performance.now() + START_TIMEOUT_MS; ; await sleep(20)) {
      if (await command('PING').catch(() => undefined)) return
      if (started.exitCode !== null) throw new Error(`redis-server ended with ${started.exitCode}`)
      if (performance.now() > until) throw new Error(`redis-server: not ready after ${START_TIMEOUT_MS / 1000} s`)
    }
  }
  const kill = async () => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      throw new Error('redis-server had ended before it was killed')
    }
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  }
  await start()
  return {
    port,
    url,
    command,
    start,
    kill,
    freeze: () => void child?.kill('SIGSTOP'),
    thaw: () => void child?.kill('SIGCONT'),
    [Symbol.asyncDispose]: async () => {
      await kill().catch(() => {})
      await rm(directory, { recursive: true, force: true })
    },
  }
}
