/**
 * Tries what must be refused, in a sandbox as calls get it, and names what succeeded. It is a tool like any other: the runner knows nothing of it.
 */
export const SELF_TEST = `
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
