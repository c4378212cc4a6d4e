/**
 * Runs one call of a tool written in Python, in Pyodide. Started before the call is known; waits for it on standard input, runs it, replies,
 * and is killed. Arguments: Pyodide's folder, and the snapshot; without one it starts from the beginning, with the modules in the call.
 */
import { startOptions } from './pyodide-modules.mjs'
import { announceReady, describeThrown, openChannel, readCall } from './runner-channel.mjs'
import { installFetch } from './runner-fetch.mjs'

const { parse, stringify } = JSON
const [folder, snapshot] = Deno.args
const { loadPyodide } = await import(`file://${folder}/pyodide.mjs`)
const options = startOptions(`${folder}/`)
const pyodide = await loadPyodide({ ...options, _loadSnapshot: Deno.readFileSync(snapshot).buffer })
const module = pyodide.pyimport('pyodide_call')
module.warm_up()
announceReady()

const call = readCall()
const { print, succeed, fail, ask } = openChannel(call)
installFetch(call.hasNetwork ? ask : null)
const packages = call.packages === null ? null : '/packages'
const main = module.main

// a chain and not an await at the top: code that waits for what never comes then ends the process, instead of waiting for the clock
run().then(tell, (error) => {
  // exceptions of the code are replies: what comes here is the end of Pyodide itself (`os._exit`, `os.abort`, a crash)
  const { type, message } = describeThrown(error)
  fail(type, message, 'died')
})

async function run() {
  if (packages !== null) pyodide.mountNodeFS(packages, call.packages)
  const { source, functionName, args, env, agentState, limits } = call
  const text = stringify({ source, functionName, args, env, agentState, limits })
  return parse(await main.callPromising(text, packages, call.hasNetwork))
}

function tell(reply) {
  if (reply.stdout !== '') print('o', reply.stdout)
  if (reply.stderr !== '') print('e', reply.stderr)
  if (reply.error === undefined) succeed(reply.text, reply.blocks, reply.textLength)
  else fail(reply.error.type, reply.error.message, reply.error.kind)
}
