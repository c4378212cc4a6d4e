import type { NetworkPolicy, SandboxLevel, ToolLimits, ToolRunResult } from '../../../src/tools/sandbox/tool-runner.ts'

/** What attacks aim at: real things of the machine that a tool must not get at. */
export interface AttackTargets {
  /** Stands in `secretPath`, and in the environment of the process that opened the runner. */
  secret: string
  /** A file that the server itself can read. */
  secretPath: string
  /** A folder that the server itself can write to, or would if anything could. */
  outsideFolder: string
  /** Listening on 127.0.0.1. */
  tcpPort: number
  /** Listening on a path and on an abstract name. */
  unixPath: string | null
  abstractName: string
  /** The process that opened the runner. */
  serverPid: number
}

/** Code that tries something, and what it may lead to. */
export interface Attack {
  name: string
  source: string
  limits?: Partial<ToolLimits>
  env?: Record<string, string>
  network?: NetworkPolicy
  /** Only for these; for all without it. */
  levels?: readonly SandboxLevel[]
  /** The problem, for people; null where the sandbox held. */
  check(result: ToolRunResult, targets: AttackTargets): string | null
}

/** Given to every attack: `attempt` notes what works, `raw` calls the kernel by number, `T` has the targets. */
export const PRELUDE = `
import json as _json, os as _os
T = _json.loads(_os.environ['TARGETS'])
done = []
def attempt(name, what):
    try:
        value = what()
    except BaseException:
        return
    done.append(name if value is None else f'{name}: {value!r}'[:300])
def raw(x86_64, arm64, *arguments):
    import ctypes
    number = {'x86_64': x86_64, 'aarch64': arm64}[_os.uname().machine]
    if number is None:
        raise OSError('no such call')
    libc = ctypes.CDLL(None, use_errno=True)
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    value = libc.syscall(ctypes.c_long(number), *words)
    if value < 0:
        raise OSError(ctypes.get_errno(), 'refused')
    return value
`

/** The attack notes what worked; nothing may. */
export const nothingWorked = (result: ToolRunResult): string | null =>
  result.status === 'success' && result.text === '[]' ? null : `it ended with ${show(result)}`

/** The secret may not be anywhere in what comes back. */
export const nothingLeaked = (result: ToolRunResult, { secret }: AttackTargets): string | null => {
  const all = JSON.stringify(result)
  if (all.includes(secret) || all.includes('root:x:0')) return `it read what it must not: ${show(result)}`
  return null
}

/** Ended as one of these kinds. */
export const endsWith =
  (...kinds: string[]) =>
  (result: ToolRunResult): string | null =>
    result.status === 'error' && kinds.includes(result.kind) ? null : `it ended with ${show(result)}`

export const show = (result: ToolRunResult): string => JSON.stringify(result).slice(0, 700)
