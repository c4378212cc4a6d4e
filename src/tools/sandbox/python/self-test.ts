import { SandboxUnavailable, type ToolCall, type ToolRunner } from '#tools/sandbox/tool-runner.ts'

const LIMIT_MS = 20_000

/** Each of these must fail; what does not is told. */
const SOURCE = `
import ctypes, os, socket, subprocess, sys

def attempt(what):
    try:
        what()
    except (OSError, MemoryError):
        return False
    return True

def write(path):
    with open(path, 'w') as file:
        file.write('x')

def raw(number, *arguments):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) for a in arguments]) < 0:
        raise OSError(ctypes.get_errno(), 'refused')

attempts = {
    'read /etc/passwd': lambda: open('/etc/passwd').read(),
    'list /': lambda: os.listdir('/'),
    'read /proc': lambda: open('/proc/self/environ').read(),
    'write to /': lambda: write('/perdure-self-test'),
    'write to /tmp': lambda: write('/tmp/perdure-self-test'),
    'write to /dev/shm': lambda: write('/dev/shm/perdure-self-test'),
    'open an internet socket': lambda: socket._socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    'open a local socket': lambda: socket._socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    'fork': lambda: os.fork() or os._exit(0),
    'execute': lambda: os.execv('/bin/true', ['true']),
    'start a program': lambda: subprocess.run(['/bin/true']),
    'signal the server': lambda: os.kill(os.getppid(), 0),
    'take too much memory': lambda: bytearray(1 << 40),
    'trace': lambda: raw(101 if os.uname().machine == 'x86_64' else 117, 0, 0, 0, 0),
}
[name for name, what in attempts.items() if attempt(what)]
`

const CALL: ToolCall = {
  language: 'python',
  sourceCode: SOURCE,
  functionName: null,
  args: {},
  env: {},
  agentState: null,
  packages: null,
  network: { kind: 'none' },
  limits: {
    wallMs: LIMIT_MS,
    cpuSeconds: 10,
    memoryBytes: 128 * 1024 * 1024,
    outputChars: 1000,
    resultChars: 10_000,
    scratchBytes: 1024 * 1024,
  },
}

/** Tries what must be impossible. Throws SandboxUnavailable where anything of it works, or nothing runs at all. */
export async function testSandbox(runner: Pick<ToolRunner, 'run'>): Promise<void> {
  const result = await runner.run(CALL, new AbortController().signal)
  if (result.status === 'error') {
    throw new SandboxUnavailable(`The self-test of Python's sandbox did not run: ${result.type}: ${result.message}`)
  }
  if (result.text !== '[]') {
    throw new SandboxUnavailable(`Python's sandbox does not hold on this machine: it lets code ${result.text}.`)
  }
}
