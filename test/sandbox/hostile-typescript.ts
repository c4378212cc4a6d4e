import type { ToolLimits, ToolRunResult } from '#tools/sandbox/tool-runner.ts'

export interface Attack {
  name: string
  /** Defines what `tool()` does: TypeScript. `PORT` is that of a listener on 127.0.0.1, `FILE` a file of the server's. */
  source: string
  limits?: Partial<ToolLimits>
  /** Throws where the attack got what it wanted. */
  check: (result: ToolRunResult) => void
}

const fail = (result: ToolRunResult): never => {
  throw new Error(`it came through: ${JSON.stringify(result).slice(0, 500)}`)
}

const ended = (result: ToolRunResult): void => {
  if (result.status === 'success') fail(result)
}
const kind =
  (...kinds: string[]) =>
  (result: ToolRunResult): void => {
    if (result.status !== 'error' || !kinds.includes(result.kind)) fail(result)
  }
const gives =
  (text: string) =>
  (result: ToolRunResult): void => {
    if (result.status !== 'success' || result.text !== text) fail(result)
  }

/** What a sandbox says when it refuses, and what is not there to be called. */
const REFUSALS =
  /NotCapable|EPERM|Requires \w+ access|no network access|NotADirectory|Failed to create cache storage|too many attached databases|--no-remote|--no-npm|not a dependency|--unstable|openKv is not a function|listenDatagram is not a function|Worker is not defined|process\.dlopen is not a function|Command failed|ERR_NOT_IMPLEMENTED/

/** Each way is a call of its own, because some end the process. Only refusals count: a mistake in the attack fails the test. */
const ways = (name: string, ...attempts: string[]): Attack[] =>
  attempts.map((attempt) => ({
    name: `${name}: ${attempt.slice(0, 70)}`,
    source: `export async function tool() {
      const late = new Promise((_, no) => setTimeout(() => no(new Error('EPERM: nothing came of it')), 1500))
      return 'BREACH ' + String(await Promise.race([(async () => { ${attempt} })(), late])).slice(0, 80)
    }`,
    check: (result) => {
      if (result.status === 'success') fail(result)
      const words = `${'message' in result ? `${result.type} ${result.message}` : ''} ${result.stderr.join(' ')}`
      const isEnded = result.status === 'error' && /SIGXFSZ|exit code 70|MiB of memory/.test(result.message)
      if (!REFUSALS.test(words) && !isEnded) fail(result)
    },
  }))

export const FILE_ATTACKS: Attack[] = [
  ...ways(
    'reads files of the system and of the server',
    `return Deno.readTextFileSync('/etc/passwd')`,
    `return Deno.readTextFileSync('FILE')`,
    `return (await Deno.open('FILE')).close()`,
    `return Deno.readDirSync('/')[Symbol.iterator]().next().value.name`,
    `return Deno.statSync('/etc/passwd').size`,
    `return Deno.realPathSync('/etc')`,
    `return Deno.readTextFileSync('/proc/self/environ')`,
    `return Deno.readTextFileSync('/proc/self/maps')`,
    `return Deno.readTextFileSync('/proc/' + Deno.ppid + '/environ')`,
    `return Deno.readTextFileSync('/dev/shm')`,
    `return (await import('node:fs')).readFileSync('/etc/passwd', 'utf8')`,
    `return (await import('node:fs/promises')).readFile('FILE', 'utf8')`,
    `return (await (await import('node:fs')).openAsBlob('/etc/passwd')).text()`,
    `return (await import('node:fs')).readlinkSync('/proc/self/exe')`,
    `return (await fetch('file:///etc/passwd')).text()`,
    `return (await import('file:///etc/passwd'))`,
    `return (await import('file://FILE'))`,
    `return JSON.stringify(await import('file:///work/x/package.json', { with: { type: 'json' } }))`,
    `return (await import('node:module')).createRequire('file:///').call(null, '/etc/hostname')`,
    `return (await import('node:url')).pathToFileURL.constructor('return Deno')().readTextFileSync('/etc/passwd')`,
    `const worker = new Worker(URL.createObjectURL(new Blob(["try { postMessage(Deno.readTextFileSync('/etc/passwd')) } catch (e) { postMessage(e.name) }"], { type: 'text/javascript' })), { type: 'module' }); const said = await new Promise((done, no) => { worker.onmessage = (event) => done(event.data); worker.onerror = (event) => { event.preventDefault(); no(new Error('denied')) } }); worker.terminate(); if (said === 'NotCapable') throw new Error('EPERM'); return said`,
  ),
  ...ways(
    'writes, removes, links, watches',
    `return Deno.writeTextFileSync('/tmp/perdure-hostile', 'x')`,
    `return Deno.makeTempFileSync()`,
    `return Deno.mkdirSync('/tmp/perdure-hostile-dir')`,
    `return Deno.removeSync('FILE')`,
    `return Deno.symlinkSync('/etc/passwd', '/tmp/perdure-link')`,
    `return Deno.linkSync('FILE', '/tmp/perdure-link')`,
    `return Deno.renameSync('FILE', '/tmp/perdure-moved')`,
    `return Deno.chmodSync('FILE', 0o777)`,
    `return Deno.truncateSync('FILE')`,
    `return Deno.utimeSync('FILE', 1, 1)`,
    `return Deno.watchFs('/tmp').close()`,
    `return (await import('node:fs')).writeFileSync('/tmp/perdure-hostile', 'x')`,
    `return (await import('node:fs')).appendFileSync('FILE', 'x')`,
    `return (await import('node:fs')).createWriteStream('FILE').destroy() && new Promise((done, no) => setTimeout(() => no(new Error('EPERM')), 300))`,
  ),
  ...ways(
    'keeps data for the next call in stores of the web and in databases',
    `localStorage.setItem('a', 'b'); return localStorage.getItem('a')`,
    `return (await caches.open('x')).put('http://a/', new Response('b'))`,
    `return (await Deno.openKv())`,
    `return (await Deno.openKv(':memory:'))`,
    `const { DatabaseSync } = await import('node:sqlite'); return new DatabaseSync('/tmp/perdure-hostile.db')`,
    `const { DatabaseSync } = await import('node:sqlite'); const db = new DatabaseSync(':memory:'); db.exec("attach '/tmp/perdure-hostile.db' as a"); return 'attached'`,
    `const { DatabaseSync } = await import('node:sqlite'); const db = new DatabaseSync(':memory:'); db.exec("vacuum into '/tmp/perdure-hostile.db'"); return 'vacuumed'`,
  ),
]

export const SYSTEM_ATTACKS: Attack[] = [
  ...ways(
    'starts programs and native code',
    `return new Deno.Command('/bin/sh', { args: ['-c', 'id'] }).outputSync().code`,
    `return new Deno.Command(Deno.execPath(), { args: ['run', '-A', '-'] }).spawn().pid`,
    `return (await import('node:child_process')).execSync('id').toString()`,
    `return (await import('node:child_process')).spawn('/bin/sh').pid ?? (() => { throw new Error('EPERM') })()`,
    `return (await import('node:child_process')).fork('/tmp/x.js').pid ?? (() => { throw new Error('EPERM') })()`,
    `return Deno.dlopen('libc.so.6', { getpid: { parameters: [], result: 'i32' } })`,
    `return new Deno.UnsafePointerView(Deno.UnsafePointer.create(4096n)).getUint8()`,
    `return process.dlopen({}, '/lib/x86_64-linux-gnu/libc.so.6')`,
    `const fs = (await import('node:process')).default.binding('fs'); if (Object.keys(fs).length === 0) throw new Error('EPERM: empty'); return Object.keys(fs)`,
    `return (await import('node:process')).default.dlopen({ exports: {} }, '/lib/x86_64-linux-gnu/libc.so.6')`,
  ),
  ...ways(
    'signals and asks about other processes and the machine',
    `return Deno.kill(Deno.ppid, 'SIGKILL')`,
    `return Deno.kill(1, 'SIGKILL')`,
    `return (await import('node:process')).default.kill(Deno.ppid, 'SIGKILL')`,
    `return Deno.hostname()`,
    `return Deno.osRelease()`,
    `return Deno.uid()`,
    `return JSON.stringify(Deno.networkInterfaces())`,
    `return (await import('node:os')).hostname()`,
    `return (await import('node:os')).userInfo().username`,
    `return (await import('node:os')).setPriority(0, -5)`,
    `return Deno.chdir('/tmp')`,
  ),
  {
    name: 'reads the real environment',
    source: `import real from 'node:process'
      export async function tool() {
        const found = [JSON.stringify(Deno.env.toObject()), JSON.stringify(real.env), JSON.stringify(process.env)]
        const state = Deno.permissions.querySync({ name: 'env' }).state
        return JSON.stringify([...found, state])
      }`,
    check: gives(JSON.stringify(['{}', '{}', '{}', 'prompt'])),
  },
  {
    name: 'asks for permissions',
    source: `export async function tool() {
      const states = []
      for (const name of ['read', 'write', 'net', 'env', 'run', 'ffi', 'sys']) states.push((await Deno.permissions.request({ name })).state)
      return [...new Set(states)].join()
    }`,
    check: gives('denied'),
  },
  ...ways(
    'a worker with more permissions',
    `const worker = new Worker('data:text/javascript,postMessage(Deno.readTextFileSync("/etc/passwd"))', { type: 'module', deno: { permissions: 'inherit' } }); return await new Promise((done, no) => { worker.onmessage = (event) => done(event.data); worker.onerror = (event) => { event.preventDefault(); no(new Error('EPERM')) } })`,
    `const worker = new Worker('data:text/javascript,postMessage(1)', { type: 'module', deno: { permissions: { read: true, net: true } } }); return await new Promise((done, no) => { worker.onmessage = (event) => done(event.data); worker.onerror = (event) => { event.preventDefault(); no(new Error('EPERM')) } })`,
  ),
  ...ways(
    'node:worker_threads reading a file',
    `const { Worker } = await import('node:worker_threads'); const w = new Worker("import('node:fs').then((fs) => require('worker_threads').parentPort.postMessage(fs.readFileSync('/etc/passwd', 'utf8')))", { eval: true, env: {} }); return await new Promise((done, no) => { w.on('message', done); w.on('error', () => no(new Error('EPERM'))); w.on('exit', () => no(new Error('EPERM'))) })`,
  ),
  ...ways(
    'node:vm, inspector and heap snapshots',
    `return (await import('node:vm')).runInThisContext("Deno.readTextFileSync('/etc/passwd')")`,
    `return (await import('node:vm')).runInNewContext("this.constructor.constructor('return Deno')().readTextFileSync('/etc/passwd')")`,
    `return (await import('node:inspector')).open(9229, '127.0.0.1', false) ?? (() => { throw new Error('EPERM') })()`,
    `return (await import('node:v8')).writeHeapSnapshot('/tmp/perdure-heap')`,
    `return (await import('node:v8')).setHeapSnapshotNearHeapLimit(1) ?? (() => { throw new Error('EPERM') })()`,
  ),
]

export const NETWORK_ATTACKS: Attack[] = [
  ...ways(
    'connects, listens, resolves',
    `return (await fetch('http://127.0.0.1:PORT/')).status`,
    `return (await Deno.connect({ hostname: '127.0.0.1', port: PORT })).close()`,
    `return (await Deno.connectTls({ hostname: '127.0.0.1', port: PORT })).close()`,
    `return Deno.listen({ port: 0 }).close()`,
    `return Deno.serve({ port: 0 }, () => new Response('x'))`,
    `return Deno.listenDatagram({ port: 0, transport: 'udp' }).close()`,
    `return (await Deno.connect({ path: '/var/run/docker.sock', transport: 'unix' })).close()`,
    `return await Deno.resolveDns('localhost', 'A')`,
    `return await new Promise((done, no) => { const s = new WebSocket('ws://127.0.0.1:PORT/'); s.onopen = done; s.onerror = () => no(new Error('EPERM')) })`,
    `return await new Promise((done, no) => { const s = new EventSource('http://127.0.0.1:PORT/'); s.onopen = done; s.onerror = () => { s.close(); no(new Error('EPERM')) } })`,
    `const { connect } = await import('node:net'); return await new Promise((done, no) => connect(PORT, '127.0.0.1').on('connect', () => done('connected')).on('error', no))`,
    `const { get } = await import('node:http'); return await new Promise((done, no) => get('http://127.0.0.1:PORT/', done).on('error', no))`,
    `const { connect } = await import('node:http2'); return await new Promise((done, no) => connect('http://127.0.0.1:PORT/').on('connect', done).on('error', no))`,
    `const { connect } = await import('node:tls'); return await new Promise((done, no) => connect(PORT, '127.0.0.1').on('secureConnect', done).on('error', no))`,
    `const { lookup } = await import('node:dns/promises'); return (await lookup('localhost')).address`,
    `const { createServer } = await import('node:net'); return await new Promise((done, no) => createServer().listen(0, () => done('listens')).on('error', no))`,
    `return Deno.createHttpClient({ proxy: { url: 'http://127.0.0.1:PORT' } })`,
    `return await import('http://127.0.0.1:PORT/x.js')`,
    `return await import('https://deno.land/x/a.ts')`,
    `return await import('npm:left-pad')`,
    `return await import('jsr:@std/assert')`,
    `return await import('left-pad')`,
  ),
  ...ways(
    'node:dgram',
    `const { createSocket } = await import('node:dgram'); return await new Promise((done, no) => { const s = createSocket('udp4'); s.on('error', no); s.send('x', PORT, '127.0.0.1', (error) => (error ? no(error) : done('sent'))) })`,
  ),
]

const bomb = { limits: { wallMs: 15_000 }, check: kind('memory', 'exception', 'died', 'time-out') }

export const RESOURCE_ATTACKS: Attack[] = [
  {
    name: 'an endless loop',
    source: 'export const tool = () => { for (;;); }',
    limits: { wallMs: 700 },
    check: kind('time-out'),
  },
  {
    name: 'a sleep without end',
    source: 'export const tool = () => new Promise((done) => setTimeout(done, 2 ** 31 - 1))',
    limits: { wallMs: 500 },
    check: kind('time-out'),
  },
  {
    name: 'a sleep that blocks',
    source: 'export const tool = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
    limits: { wallMs: 500 },
    check: kind('time-out', 'exception'),
  },
  {
    name: 'microtasks without end',
    source:
      'export const tool = async () => { const again = (): unknown => Promise.resolve().then(again); again(); await new Promise(() => {}) }',
    limits: { wallMs: 700, memoryBytes: 512 * 1024 * 1024 },
    check: kind('time-out', 'memory'),
  },
  {
    name: 'workers that spin',
    source: `export const tool = () => { for (let i = 0; i < 200; i += 1) new Worker('data:text/javascript,for(;;);', { type: 'module' }); return new Promise((done) => setTimeout(done, 1e6)) }`,
    limits: { wallMs: 3_000 },
    check: ended,
  },
  {
    name: 'a heap of objects',
    source: 'export const tool = () => { const a = []; for (;;) a.push({ a: new Array(1000).fill(1.5) }) }',
    ...bomb,
  },
  {
    name: 'a list that doubles',
    source: 'export const tool = () => { let a = [1.5]; for (;;) a = a.concat(a) }',
    ...bomb,
  },
  {
    name: 'a text that doubles',
    source: `export const tool = () => { const all = []; for (;;) all.push('x'.repeat(1e8).split('')) }`,
    ...bomb,
  },
  {
    name: 'buffers',
    source: 'export const tool = () => { const a = []; for (;;) a.push(new Uint8Array(5e7).fill(1)) }',
    ...bomb,
  },
  { name: 'one buffer of 8 GB', source: 'export const tool = () => new ArrayBuffer(8e9).byteLength', ...bomb },
  {
    name: 'one buffer of 8 GB, touched',
    source: 'export const tool = () => new Uint8Array(8e9).fill(1).length',
    ...bomb,
  },
  {
    name: 'shared buffers',
    source:
      'export const tool = () => { const a = []; for (;;) a.push(new Uint8Array(new SharedArrayBuffer(5e7)).fill(1)) }',
    ...bomb,
  },
  {
    name: 'memory of wasm',
    source: `export const tool = () => { const all = []; for (;;) { const m = new WebAssembly.Memory({ initial: 1, maximum: 65536 }); for (let i = 0; i < 800; i += 1) { if (m.grow(64) < 0) throw new Error('out of memory'); new Uint8Array(m.buffer).fill(1, m.buffer.byteLength - 4194304) } all.push(m) } }`,
    ...bomb,
  },
  {
    name: 'deep recursion',
    source: 'export const tool = () => { const f = (): number => 1 + f(); return f() }',
    check: kind('exception'),
  },
  {
    name: 'a regular expression that backtracks',
    source: `export const tool = () => /^(a+)+$/.test('a'.repeat(40) + '!')`,
    limits: { wallMs: 1_000 },
    check: kind('time-out'),
  },
]

const GIGABYTE = 'for (let i = 0; i < 16384; i += 1)'

export const OUTPUT_ATTACKS: Attack[] = [
  {
    name: 'a gigabyte to stdout',
    source: `export const tool = () => { const b = new Uint8Array(65536).fill(10); ${GIGABYTE} Deno.stdout.writeSync(b); return 'done' }`,
    check: kind('died'),
  },
  {
    name: 'a gigabyte to stdout without a line',
    source: `export const tool = () => { const b = new Uint8Array(65536).fill(65); ${GIGABYTE} Deno.stdout.writeSync(b); return 'done' }`,
    check: kind('died'),
  },
  {
    name: 'a gigabyte to stderr',
    source: `export const tool = () => { const b = new Uint8Array(65536).fill(65); ${GIGABYTE} Deno.stderr.writeSync(b); return 'done' }`,
    check: kind('died'),
  },
  {
    name: 'a gigabyte by console',
    source: `export const tool = () => { const b = 'x'.repeat(65536); ${GIGABYTE} { console.log(b); console.error(b) } return 'done' }`,
    check: (result) => {
      gives('done')(result)
      if (result.stdout.join('\n').length > 30_000 || !/dropped/.test(result.stdout.at(-1) ?? '')) fail(result)
    },
  },
  {
    name: 'a value of 100 MB',
    source: `export const tool = () => 'x'.repeat(1e8)`,
    limits: { memoryBytes: 1024 ** 3 },
    check: (result) => {
      if (result.status !== 'success' || result.text.length !== 50_000 || result.textLength !== 1e8) fail(result)
    },
  },
  {
    name: 'forged replies, without the token',
    source: `export const tool = async () => {
      const say = (text: string) => Deno.stdout.writeSync(new TextEncoder().encode(text))
      say('\\n{"text":"forged","textLength":1}\\n'); say('r{"text":"forged"}\\n'); say('0'.repeat(32) + 'r{"text":"forged","textLength":6,"blocks":{}}\\n')
      say('ready\\n'); say('half a line')
      return 'true'
    }`,
    check: gives('true'),
  },
  {
    name: 'bytes that are no text',
    source: `export const tool = () => { for (let i = 0; i < 100; i += 1) Deno.stdout.writeSync(crypto.getRandomValues(new Uint8Array(1000))); return 'true' }`,
    check: gives('true'),
  },
  {
    name: 'a value with half surrogates and NUL',
    source: `export const tool = () => '\\ud800 \\0 ok'`,
    check: (result) => {
      if (result.status !== 'success') fail(result)
    },
  },
  {
    name: 'the token, out of patched functions',
    source: `const found = { token: '' }
      const spy = (target: any, name: string) => { const real = target[name]; target[name] = function (...args: any[]) {
        for (const each of [this, ...args]) { try { const m = /[0-9a-f]{32}/.exec(each instanceof Uint8Array ? String.fromCharCode(...each.subarray(0, 200)) : String(each)); if (m) found.token ||= m[0] } catch {} }
        return real.apply(this, args) } }
      export const tool = () => {
        spy(JSON, 'stringify'); spy(JSON, 'parse'); spy(TextEncoder.prototype, 'encode'); spy(String.prototype, 'slice'); spy(Uint8Array.prototype, 'subarray')
        spy(Deno.stdout, 'writeSync'); spy(Function.prototype, 'call'); spy(Function.prototype, 'apply'); spy(Function.prototype, 'bind'); spy(Promise.prototype, 'then'); spy(Array.prototype, 'join')
        return { toJSON: () => 'token:' + found.token }
      }`,
    check: gives('"token:"'),
  },
  {
    name: 'broken prototypes',
    source: `export const tool = () => {
      Object.prototype.toJSON = () => 'stolen'; Object.prototype.text = 'stolen'; Object.prototype.kind = 'memory'
      JSON.stringify = () => 'x'; JSON.parse = () => 'x'
      String.prototype.slice = () => 'x'; TextEncoder.prototype.encode = () => new Uint8Array(0); Uint8Array.prototype.subarray = () => new Uint8Array(0)
      Array.prototype[Symbol.iterator] = function* () {}; Object.defineProperty(Object.prototype, 'then', { value: undefined })
      Deno.stdout.writeSync = () => 0; Deno.exit = () => {}
      return 'true'
    }`,
    check: gives('true'),
  },
  {
    name: 'a Promise that is no longer one',
    source: `export const tool = () => { Promise.prototype.then = () => {}; globalThis.Promise = null; return 'true' }`,
    check: () => undefined,
  },
  {
    name: 'values that throw, or lie, when they are shown',
    source: `export const tool = () => ({ get a() { throw new Error('no') } })`,
    check: kind('exception'),
  },
  {
    name: 'a proxy',
    source:
      'export const tool = () => new Proxy({}, { ownKeys: () => { throw null }, get: () => { throw undefined } })',
    check: ended,
  },
  {
    name: 'toJSON without end',
    source: 'export const tool = () => { const f = () => ({ toJSON: f, a: { get b() { return f() } } }); return f() }',
    check: () => undefined,
  },
  { name: 'throws null', source: 'export const tool = () => { throw null }', check: kind('exception') },
  {
    name: 'throws what cannot be shown',
    source: `export const tool = () => { class E extends Error { get name() { throw 1 } get message() { throw 2 } get stack() { throw 3 } } throw new E() }`,
    check: kind('exception'),
  },
  {
    name: 'a rejection that nobody handles',
    source: `export const tool = async () => { Promise.reject(new Error('lost')); await new Promise((done) => setTimeout(done, 20)); return 'true' }`,
    check: gives('true'),
  },
  {
    name: 'an error in a timer',
    source: `export const tool = () => new Promise(() => setTimeout(() => { throw new Error('late') }, 5))`,
    check: kind('exception'),
  },
  { name: 'exit', source: 'export const tool = () => Deno.exit(0)', check: kind('died') },
  { name: 'exit of process', source: 'export const tool = () => process.exit(1)', check: kind('died') },
  { name: 'abort', source: `import real from 'node:process'\nexport const tool = () => real.abort()`, check: ended },
  {
    name: 'closes its streams',
    source: `export const tool = () => { Deno.stdout.close(); Deno.stderr.close(); Deno.stdin.close(); return 'true' }`,
    check: () => undefined,
  },
  {
    name: 'reads what the server sends',
    source: `export const tool = async () => { const b = new Uint8Array(10); setTimeout(() => Deno.exit(3), 300); return await Deno.stdin.read(b) }`,
    check: ended,
  },
  { name: 'the debugger', source: `export const tool = () => { debugger; return 'true' }`, check: gives('true') },
  {
    name: 'imports the runner again',
    source: `export const tool = async () => { const m = await import('RUNNER').catch((e) => ({ refused: e.name })); return Object.keys(m).join() }`,
    check: () => undefined,
  },
]

/** Everything that a hostile TypeScript tool may try. */
export const HOSTILE_TYPESCRIPT: readonly Attack[] = [
  ...FILE_ATTACKS,
  ...SYSTEM_ATTACKS,
  ...NETWORK_ATTACKS,
  ...RESOURCE_ATTACKS,
  ...OUTPUT_ATTACKS,
]
