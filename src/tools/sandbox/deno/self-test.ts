import { SandboxUnavailable, type ToolCall, type ToolLimits, type ToolRunner } from '#tools/sandbox/tool-runner.ts'

const SELF_TEST_MS = 20_000

/**
 * Tries what must be refused, in a sandbox as calls get it, and names what succeeded. It is a tool like any other: the runner knows nothing of it.
 */
const SOURCE = `
const attempts = {
  'read files': () => Deno.readTextFileSync('/etc/passwd'),
  'list folders': () => [...Deno.readDirSync('/')],
  'read the environment': () => Deno.permissions.querySync({ name: 'env' }).state === 'granted' || refuse(),
  'write files': () => Deno.writeTextFileSync('/tmp/perdure-self-test-' + crypto.randomUUID(), ''),
  'start programs': () => new Deno.Command('/bin/true').outputSync(),
  'load native code': () => Deno.dlopen('libc.so.6', {}),
  'ask about the system': () => Deno.hostname(),
  'keep data': () => localStorage.setItem('perdure', '1'),
  'listen': () => Deno.listen({ port: 0 }).close(),
  'connect': async () => (await Deno.connect({ hostname: '127.0.0.1', port: 9 })).close(),
}
function refuse() {
  throw new Deno.errors.NotCapable('refused')
}
export async function selfTest() {
  const succeeded = []
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt()
      succeeded.push(name)
    } catch (error) {
      // refused by the permission, not failed by chance: a connection that nobody answers was not refused
      if (name !== 'keep data' && !(error instanceof Deno.errors.NotCapable)) succeeded.push(name + ': ' + error)
    }
  }
  return succeeded
}
`

/** Throws SandboxUnavailable, naming what is not refused. */
export async function testSandbox(runner: ToolRunner, limits: ToolLimits): Promise<void> {
  const result = await runner.run(selfTestCall(limits), AbortSignal.timeout(SELF_TEST_MS))
  if (result.status === 'success' && result.text === '[]') return
  const found = result.status === 'success' ? `these succeeded: ${result.text}` : `${result.type}: ${result.message}`
  throw new SandboxUnavailable(
    `the sandbox of Deno was tried out and does not hold (${found}), so no tool is run in it. Install the version of Deno that this server brings, unchanged.`,
  )
}

const selfTestCall = (limits: ToolLimits): ToolCall => ({
  language: 'typescript',
  sourceCode: SOURCE,
  functionName: 'selfTest',
  args: {},
  env: {},
  agentState: null,
  packages: null,
  network: { kind: 'none' },
  limits: { ...limits, wallMs: SELF_TEST_MS },
})
