import type { ToolRunResult } from '../../../src/tools/sandbox/tool-runner.ts'
import { type Attack, endsWith, nothingWorked, show } from './attack.ts'

const GIB = 1024 ** 3

const isError = (result: ToolRunResult): string | null =>
  result.status === 'error' ? null : `it ended with ${show(result)}`

/** Taking more than a call may have. */
export const ATTACKS_ON_LIMITS: readonly Attack[] = [
  {
    name: 'spins',
    source: 'while True: pass',
    limits: { wallMs: 1000 },
    check: endsWith('time-out'),
  },
  {
    name: 'spins on the processor longer than it may',
    source: 'while True: pass',
    limits: { wallMs: 30_000, cpuSeconds: 1 },
    levels: ['cpython'],
    check: endsWith('time-out'),
  },
  {
    name: 'spins and ignores every signal and exception',
    source: `
import signal
for number in range(1, 65):
    try: signal.signal(number, signal.SIG_IGN)
    except Exception: pass
while True:
    try:
        while True: pass
    except BaseException: pass`,
    limits: { wallMs: 30_000, cpuSeconds: 1 },
    levels: ['cpython'],
    check: endsWith('time-out'),
  },
  {
    name: 'sleeps for ever',
    source: 'import time\ntime.sleep(10**6)',
    limits: { wallMs: 1000 },
    check: endsWith('time-out'),
  },
  {
    name: 'blocks every signal and waits',
    source: `
import signal, time
signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
signal.signal(signal.SIGTERM, signal.SIG_IGN)
time.sleep(10**6)`,
    limits: { wallMs: 1000 },
    levels: ['cpython'],
    check: endsWith('time-out'),
  },
  {
    name: 'computes a number in C that cannot be interrupted',
    source: 'x = 7 ** (10 ** 9)',
    limits: { wallMs: 1500 },
    check: endsWith('time-out', 'memory'),
  },
  {
    name: 'takes 8 GB',
    source: 'x = bytearray(8 << 30)',
    check: endsWith('memory', 'died'),
  },
  {
    name: 'takes memory piece by piece and keeps it in spite of the error',
    source: `
keep = []
while True:
    try:
        while True: keep.append(bytearray(1 << 20))
    except MemoryError:
        while True:
            try: keep.append('x' * 1000)
            except MemoryError: raise`,
    check: endsWith('memory', 'died', 'time-out'),
  },
  {
    name: 'takes memory that is not counted as its own',
    source: `
import mmap, os, resource
def shared(size):
    memory = mmap.mmap(-1, size)
    memory[size - 1] = 1
keep = []
attempt('shared', lambda: shared(${GIB}))
attempt('memfd', lambda: os.truncate(os.memfd_create('x'), ${GIB}))
attempt('limits', lambda: resource.setrlimit(resource.RLIMIT_DATA, (${8 * GIB}, ${8 * GIB})))
attempt('address limits', lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)))
attempt('processor limits', lambda: resource.setrlimit(resource.RLIMIT_CPU, (-1, -1)))
attempt('heap', lambda: len(bytearray(${GIB})))
done`,
    levels: ['cpython'],
    check: nothingWorked,
  },
  {
    name: 'writes 10 GB',
    source: `
with open('big', 'wb') as file:
    for _ in range(10_000): file.write(bytes(1 << 20))
'written'`,
    levels: ['cpython'],
    check: isError,
  },
  {
    name: 'writes many files',
    source: `
import time
for i in range(10 ** 6):
    with open(f'f{i}', 'w') as file: file.write('x' * 3000)
'written'`,
    limits: { wallMs: 30_000, cpuSeconds: 25 },
    levels: ['cpython'],
    check: isError,
  },
  {
    name: 'hides files by removing them while they are open',
    source: `
import os, time
keep = []
for i in range(40):
    file = open(f'f{i}', 'wb'); os.remove(f'f{i}')
    file.write(bytes(8 << 20)); file.flush(); keep.append(file)
time.sleep(20)
'written'`,
    limits: { wallMs: 15_000, memoryBytes: 128 << 20 },
    levels: ['cpython'],
    check: (result) =>
      result.status === 'error' && result.kind !== 'time-out' ? null : `it ended with ${show(result)}`,
  },
  {
    name: 'prints 1 GB',
    source: `
import sys
piece = 'x' * (1 << 20)
for _ in range(1024):
    print(piece)
    sys.stderr.write(piece)
'printed'`,
    limits: { wallMs: 20_000, cpuSeconds: 20 },
    check(result) {
      if (result.status !== 'success') return `it ended with ${show(result)}`
      const length = [...result.stdout, ...result.stderr].join('').length
      return length <= 3 * 20_000 && length >= 20_000 ? null : `${length} characters were kept`
    },
  },
  {
    name: 'opens files until there are none',
    source: `
keep = []
try:
    while True: keep.append(open('/dev/null'))
except OSError: pass
len(keep) > 10_000`,
    check: (result) => (result.status === 'success' && result.text === 'False' ? null : show(result)),
    levels: ['cpython'],
  },
  {
    name: 'starts threads without end',
    source: `
import threading, time
threading.stack_size(32768)
while True:
    try: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
    except (RuntimeError, MemoryError): time.sleep(0.01)`,
    limits: { wallMs: 5000 },
    check: endsWith('died', 'time-out', 'memory'),
  },
  {
    name: 'recurses without end',
    source: 'def f(): return f()\nf()',
    check: endsWith('exception'),
  },
  {
    name: 'recurses without end and without the limit',
    source: 'import sys\nsys.setrecursionlimit(2**31 - 1)\ndef f(): return [f()]\nf()',
    check: endsWith('exception', 'memory', 'died', 'time-out'),
  },
  {
    name: 'overflows the stack in C',
    source: 'import sys\nsys.setrecursionlimit(2**31 - 1)\nx = []\nfor _ in range(10**6): x = [x]\nrepr(x)',
    check: endsWith('exception', 'memory', 'died'),
  },
  {
    name: 'leaves threads that spin when it returns',
    source: `
import threading
def spin():
    while True: pass
try:
    for _ in range(4): threading.Thread(target=spin).start()
except RuntimeError: pass
'returned'`,
    check: (result) => (result.status === 'success' && result.text === 'returned' ? null : show(result)),
  },
]
