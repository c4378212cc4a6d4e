import type { ToolRunResult } from '../../../src/tools/sandbox/tool-runner.ts'
import { type Attack, endsWith, show } from './attack.ts'

const returns =
  (wanted: (text: string, length: number) => boolean) =>
  (result: ToolRunResult): string | null =>
    result.status === 'success' && wanted(result.text, result.textLength) ? null : `it ended with ${show(result)}`

const raises =
  (wanted: (type: string, message: string) => boolean) =>
  (result: ToolRunResult): string | null =>
    result.status === 'error' && wanted(result.type, result.message) ? null : `it ended with ${show(result)}`

/** Code that talks to the server itself: any end but a wrong one. */
const FORGE = `
import json, os, struct
def frame(message):
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return struct.pack('<I', len(body)) + body
def send(data):
    for fd in range(64):
        try: os.write(fd, data)
        except OSError: pass
`

/** Values and messages that break whoever reads them. */
export const ATTACKS_ON_REPLIES: readonly Attack[] = [
  {
    name: 'returns 100 MB',
    source: "'x' * 100_000_000",
    check: returns((text, length) => text.length <= 20_000 && length === 100_000_000),
  },
  {
    name: 'returns NaN and infinity',
    source: "[float('nan'), float('inf')]",
    check: returns((text) => /nan/i.test(text)),
  },
  { name: 'returns a cycle', source: 'x = []\nx.append(x)\nx', check: returns((text) => text.length > 0) },
  { name: 'returns a cycle of dicts', source: "x = {}\nx['x'] = x\nx", check: returns((text) => text.length > 0) },
  { name: 'returns bytes', source: "b'a\\xff'", check: returns((text) => text.includes('xff')) },
  {
    name: 'returns keys that are no strings',
    source: '{(1, 2): 3, None: {4}}',
    check: returns((text) => text.includes('3')),
  },
  {
    name: 'returns half a character',
    source: "['\\ud800', 'a\\x00b']",
    check: returns((text) => text.isWellFormed() && !text.includes('\0')),
  },
  { name: 'prints half a character', source: "print('\\udfff\\x00')\n'ok'", check: returns((text) => text === 'ok') },
  {
    name: 'returns what cannot be shown',
    source: `
class Evil:
    def __str__(self): raise SystemExit(1)
    __repr__ = __str__
    def __getattr__(self, name): raise RuntimeError(name)
Evil()`,
    check: (result) => (result.status === 'error' || result.text.length > 0 ? null : show(result)),
  },
  {
    name: 'returns a string that lies about itself',
    source: `
class Lie(str):
    def __len__(self): return -5
    def __getitem__(self, key): return {'not': 'text'}
Lie('x')`,
    check: (result) => (result.status === 'error' || typeof result.text === 'string' ? null : show(result)),
  },
  {
    name: 'raises with a secret in its message',
    source: "raise ValueError('key sk-hidden')",
    check: raises((type, message) => type === 'ValueError' && message === 'key sk-hidden'),
  },
  {
    name: 'raises what cannot be shown',
    source: `
class Evil(Exception):
    def __str__(self): raise Evil()
    __repr__ = __str__
raise Evil()`,
    check: raises((type) => type === 'Evil'),
  },
  {
    name: 'raises with a message of 50 MB',
    source: "raise ValueError('x' * 50_000_000)",
    check: raises((type, message) => type === 'ValueError' && message.length <= 10_000),
  },
  {
    name: 'raises a type with a name of 1 MB',
    source: "raise type('E' * 1_000_000, (Exception,), {})('x')",
    check: raises((type, message) => type.length <= 200 && message === 'x'),
  },
  { name: 'exits', source: 'import sys\nsys.exit(3)', check: endsWith('died') },
  { name: 'exits with an object', source: 'raise SystemExit(object())', check: endsWith('died') },
  { name: 'exits at once', source: 'import os\nos._exit(0)', check: endsWith('died') },
  { name: 'aborts', source: 'import os\nos.abort()', check: endsWith('died') },
  {
    name: 'reads address 0',
    source: 'import ctypes\nctypes.string_at(0)',
    check: endsWith('died'),
    levels: ['cpython'],
  },
  {
    name: 'kills itself',
    source: 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)',
    check: endsWith('died'),
    levels: ['cpython'],
  },
  {
    name: 'replies noise',
    source: `${FORGE}\nsend(os.urandom(100_000))\n'value'`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'replies a length of 4 GB',
    source: `${FORGE}\nsend(b'\\xff\\xff\\xff\\xff' + bytes(1000))\n'value'`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'replies without end',
    source: `${FORGE}\nsend(struct.pack('<I', 100_000))\nwhile True: send(b'x' * 65536)`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'replies half a message and waits',
    source: `${FORGE}\nimport time\nsend(struct.pack('<I', 1000) + b'{')\ntime.sleep(1000)`,
    limits: { wallMs: 1000 },
    levels: ['cpython'],
    check: endsWith('time-out'),
  },
  {
    name: 'replies the wrong shape',
    source: `${FORGE}\nsend(frame({'text': {'a': 1}, 'textLength': -1, 'blocks': [], 'stdout': 5}))`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'replies blocks that the agent does not have',
    source: `${FORGE}\nsend(frame({'text': '', 'textLength': 0, 'blocks': {'persona': 'mine'}, 'stdout': '', 'stderr': ''}))`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'replies that it was refused',
    source: `${FORGE}\nsend(frame({'refused': 'x'}))`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'replies nesting without end',
    source: `${FORGE}\nsend(frame(b'[' * 100_000))`,
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'replies two messages, of which the first is for itself',
    source: `${FORGE}\nsend(frame({'text': 'mine', 'textLength': 4, 'blocks': {}, 'stdout': '', 'stderr': ''}) * 2)`,
    levels: ['cpython'],
    check: returns((text) => text === 'mine'),
  },
  {
    name: 'closes everything that is open',
    source: 'import os\nos.closerange(0, 1000)',
    levels: ['cpython'],
    check: endsWith('died'),
  },
  {
    name: 'breaks what the runner uses',
    source: `
import builtins, json, sys, os
json.dumps = lambda *a, **k: '{}'
for name in list(sys.modules): 
    if name not in ('sys', 'builtins'): sys.modules[name] = None
builtins.len = builtins.isinstance = None
sys.stdout = None`,
    check: (result) => (result.status === 'error' ? null : show(result)),
    levels: ['cpython'],
  },
]
