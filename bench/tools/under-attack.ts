import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startServerProcess } from '../../test/support/server-process.ts'
import { percentile } from '../load.ts'
import { note, report } from '../replicas/report.ts'

const SECONDS = 10
const PAUSE_MS = 20
const ATTACKERS = 8
/** How much slower the server may be meanwhile. */
const MAX_RATIO = 2

const tool = (body: string): string => `def attack() -> str:\n    """Attacks."""\n${body.replaceAll(/^/gm, '    ')}\n`

const ATTACKS = {
  spin: tool('while True: pass'),
  threads: tool(
    'import threading\nfor _ in range(200): threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()',
  ),
  allocate: tool('x = []\nwhile True: x.append(bytearray(8 << 20))'),
  print: tool('while True: print("x" * 100000)'),
  write: tool('i = 0\nwhile True:\n    i += 1\n    open(f"f{i}", "wb").write(b"x" * (1 << 20))'),
  fork: tool('import os\nwhile True:\n    try: os.fork()\n    except OSError: pass'),
  result: tool('return "x" * 100_000_000'),
}

/** The time of a read of a server, alone and while tools do their worst in its sandbox. */
export async function measureServerUnderAttack(): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'perdure-bench-'))
  const server = await startServerProcess(await freePort(), {
    PERDURE_DATA_DIR: dataDir,
    PERDURE_TOOL_TIMEOUT: '2s',
    LOG_LEVEL: 'error',
  })
  try {
    const read = () => fetch(`${server.url}/v1/tools/?limit=20`).then((response) => response.text())
    for (let index = 0; index < 50; index += 1) await read()
    const idle = await latencies(read)
    const attack = new AbortController()
    const ended: Record<string, number> = {}
    const attackers = Array.from({ length: ATTACKERS }, (_, index) =>
      attackOnAndOn(server.url, index, attack.signal, ended),
    )
    await sleep(1_000)
    const attacked = await latencies(read)
    attack.abort()
    await Promise.all(attackers)
    const ratio = percentile(attacked, 0.5) / percentile(idle, 0.5)
    note(`attacks that ended: ${JSON.stringify(ended)}`)
    note(
      `a read, p99: idle ${percentile(idle, 0.99).toFixed(1)} ms, attacked ${percentile(attacked, 0.99).toFixed(1)} ms`,
    )
    report(
      `a read while ${ATTACKERS} hostile tools run, p50 against idle`,
      `${ratio.toFixed(2)} × (${percentile(attacked, 0.5).toFixed(1)} against ${percentile(idle, 0.5).toFixed(1)} ms)`,
      `≤ ${MAX_RATIO} ×`,
      ratio <= MAX_RATIO,
    )
  } finally {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function latencies(read: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  const until = performance.now() + SECONDS * 1_000
  while (performance.now() < until) {
    const startedAt = performance.now()
    await read()
    times.push(performance.now() - startedAt)
    await sleep(PAUSE_MS)
  }
  return times
}

async function attackOnAndOn(
  url: string,
  first: number,
  signal: AbortSignal,
  ended: Record<string, number>,
): Promise<void> {
  const names = Object.keys(ATTACKS) as (keyof typeof ATTACKS)[]
  for (let index = first; !signal.aborted; index += 1) {
    const name = names[index % names.length] ?? 'spin'
    const response = await fetch(`${url}/v1/tools/run`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ source_code: ATTACKS[name], args: {} }),
    })
    const { status } = (await response.json()) as { status: string }
    // all but the large result, which is cut, fail
    if (response.status !== 200 || (status === 'error') === (name === 'result')) throw new Error(`${name}: ${status}`)
    ended[name] = (ended[name] ?? 0) + 1
  }
}
