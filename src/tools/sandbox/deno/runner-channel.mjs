/**
 * What both runners share inside of Deno: the one line that comes in, the framed lines that go out, and what the code sees of console,
 * process, environment and fetch. It is loaded before any code of a tool, and takes hold of all that it needs at that moment:
 * whatever the code replaces later (JSON, Promise, prototypes) changes nothing here. Tools may import this file: it keeps no state of
 * its own, the token of a call lives in the closure that `openChannel` makes.
 */
const { stdin, stdout, exit } = Deno
const { parse, stringify } = JSON
const inspect = Deno.inspect
const call = Function.prototype.call
const write = stdout.writeSync.bind(stdout)
const encode = call.bind(TextEncoder.prototype.encode, new TextEncoder())
const subarray = call.bind(Uint8Array.prototype.subarray)
const slice = call.bind(String.prototype.slice)
const objectToString = call.bind(Object.prototype.toString)
const { ownKeys } = Reflect

const NEWLINE = 10
const CHUNK_BYTES = 64 * 1024

/** Told before any code of a tool is there: the process has started, and its one call can be sent. */
export const announceReady = () => writeAll('ready\n')

function writeAll(text) {
  let bytes = encode(text)
  while (bytes.length > 0) bytes = subarray(bytes, write(bytes))
}

/** Blocks until the call has come; ends the process when there will be none. */
export function readCall() {
  const chunks = []
  for (;;) {
    const chunk = new Uint8Array(CHUNK_BYTES)
    const length = stdin.readSync(chunk)
    if (length === null) exit(0)
    chunks.push(chunk.subarray(0, length))
    if (chunk[length - 1] === NEWLINE) break
  }
  return parse(new TextDecoder().decode(joined(chunks)))
}

function joined(chunks) {
  const bytes = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let position = 0
  for (const chunk of chunks) {
    bytes.set(chunk, position)
    position += chunk.length
  }
  return bytes
}

/**
 * The way out. Frames begin with the token that the server has made up for this call; what the code writes to standard output by itself
 * has none and is taken for its output.
 */
export function openChannel({ token, limits }) {
  const { outputChars, resultChars } = limits
  const left = { __proto__: null, o: outputChars, e: outputChars }
  const frame = (kind, value) => writeAll(`\n${token}${kind}${stringify(value)}\n`)

  /** `o` is stdout, `e` is stderr; beyond the limit nothing is written. */
  function print(kind, text) {
    if (left[kind] < 0) return
    const part = slice(text, 0, left[kind])
    left[kind] -= text.length
    if (part !== '') frame(kind, part)
    if (left[kind] < 0) frame('d', kind)
  }

  /** Ends the process: nothing of the code runs after its reply. */
  function reply(value) {
    frame('r', value)
    exit(0)
  }

  return {
    print,
    succeed: (text, blocks, textLength = text.length) =>
      reply({ __proto__: null, text: slice(text, 0, resultChars), textLength, blocks }),
    fail: (type, message, kind = 'exception') =>
      reply({ __proto__: null, kind, type: slice(type, 0, 200), message: slice(message, 0, resultChars) }),
    ask: (request) => frame('f', request),
  }
}

/** `console` that writes to the call's output; its lines are counted, so that a flood of them ends early. */
export function installConsole(print) {
  const target = globalThis.console
  const depths = { __proto__: null, indent: '' }
  const log =
    (kind) =>
    (...values) =>
      print(kind, `${depths.indent}${format(values)}\n`)
  for (const name of ['log', 'info', 'debug', 'dir', 'table']) target[name] = log('o')
  for (const name of ['warn', 'error', 'trace']) target[name] = log('e')
  target.assert = (isTrue, ...values) => isTrue || log('e')('Assertion failed:', ...values)
  target.group = (...values) => {
    if (values.length > 0) log('o')(...values)
    depths.indent += '  '
  }
  target.groupEnd = () => {
    depths.indent = depths.indent.slice(2)
  }
}

/** As consoles do: `%s` and its kin in a first text, then the rest, with spaces between. */
function format(values) {
  const [first, ...rest] = values
  const parts = []
  if (typeof first === 'string' && first.includes('%')) {
    parts.push(first.replace(/%([sdifjoOc%])/g, (whole, kind) => substitute(whole, kind, rest)))
  } else if (values.length > 0) parts.push(shown(first))
  for (const value of rest) parts.push(shown(value))
  return parts.join(' ')
}

function substitute(whole, kind, rest) {
  if (kind === '%') return '%'
  if (rest.length === 0) return whole
  const value = rest.shift()
  if (kind === 'c') return ''
  if (kind === 's') return typeof value === 'object' ? shown(value) : String(value)
  if (kind === 'd' || kind === 'f') return String(Number(value))
  if (kind === 'i') return String(Number.parseInt(value, 10))
  return kind === 'j' ? stringify(value) : shown(value)
}

const shown = (value) => (typeof value === 'string' ? value : inspect(value))

/** The environment of the call as `process.env` and `Deno.env`: the process itself has none, and no permission to read one. */
export function installEnvironment(env, print) {
  const values = { ...env }
  const stream = (kind) => ({
    isTTY: false,
    write: (text) => {
      print(kind, String(text))
      return true
    },
  })
  const shim = {
    env: values,
    argv: ['deno', 'tool'],
    argv0: 'deno',
    execArgv: [],
    pid: 1,
    platform: Deno.build.os,
    arch: Deno.build.arch,
    version: 'v24.0.0',
    versions: { node: '24.0.0', deno: Deno.version.deno, v8: Deno.version.v8 },
    stdout: stream('o'),
    stderr: stream('e'),
    cwd: () => '/',
    uptime: () => performance.now() / 1000,
    hrtime: Object.assign(() => [0, 0], { bigint: () => BigInt(Math.round(performance.now() * 1e6)) }),
    memoryUsage: () => Deno.memoryUsage(),
    nextTick: (work, ...args) => queueMicrotask(() => work(...args)),
    on: () => shim,
    once: () => shim,
    off: () => shim,
    emitWarning: (text) => print('e', `${text}\n`),
    exit: (code) => exit(code ?? 0),
  }
  Object.defineProperty(globalThis, 'process', { value: shim, configurable: true, writable: true })
  const get = (key) => (Object.hasOwn(values, key) ? values[key] : undefined)
  const environment = {
    get,
    has: (key) => Object.hasOwn(values, key),
    toObject: () => ({ ...values }),
    set: (key, value) => {
      values[key] = String(value)
    },
    delete: (key) => delete values[key],
  }
  Object.defineProperty(Deno, 'env', { value: environment, configurable: true })
  return values
}

/** Any value as text: strings as they are, containers as JSON, the rest as JavaScript prints it. Throws what the value throws. */
export function toText(value) {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return 'null'
  if (typeof value !== 'object') return typeof value === 'symbol' ? value.toString() : `${value}`
  const text = stringify(value, withoutCycles())
  return typeof text === 'string' ? text : 'null'
}

/** What JSON has no form for, written in one that it has. */
function withoutCycles() {
  const within = []
  return function replace(_key, value) {
    if (typeof value === 'bigint') return `${value}`
    if (typeof value !== 'object' || value === null) return value
    // `this` holds the value: what is deeper than it has been left
    while (within.length > 0 && within[within.length - 1] !== this) within.length -= 1
    for (let index = 0; index < within.length; index += 1) if (within[index] === value) return '[Circular]'
    const tag = objectToString(value)
    const plain =
      tag === '[object Map]'
        ? toObject(value)
        : tag === '[object Set]' || (ArrayBuffer.isView(value) && tag !== '[object DataView]')
          ? Array.from(value)
          : tag === '[object Error]' && ownKeys(value).length <= 2
            ? { name: value.name, message: value.message }
            : value
    within[within.length] = plain
    return plain
  }
}

function toObject(map) {
  const object = { __proto__: null }
  for (const [key, value] of map) object[typeof key === 'object' ? stringify(key) : String(key)] = value
  return object
}

/** What was thrown, as the name and the message of an error; whatever it is, this does not throw. */
export function describeThrown(thrown) {
  try {
    if (thrown instanceof Error) {
      const { name, message, stack } = thrown
      // classes that extend Error seldom set a name
      return { type: `${name === 'Error' ? thrown.constructor.name : name}`, message: `${message}`, stack: `${stack}` }
    }
    return { type: 'Error', message: toText(thrown), stack: '' }
  } catch {
    return { type: 'Error', message: 'what was thrown cannot be shown', stack: '' }
  }
}
