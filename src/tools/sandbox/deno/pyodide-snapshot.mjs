/** Writes a snapshot of Pyodide with everything loaded that does not depend on a call to standard output. Argument: Pyodide's folder. */
import { installModules, startOptions } from './pyodide-modules.mjs'
import { announceReady, readCall } from './runner-channel.mjs'

const [folder] = Deno.args
announceReady()
const { sources } = readCall()
const { loadPyodide } = await import(`file://${folder}/pyodide.mjs`)
const pyodide = await loadPyodide({ ...startOptions(`${folder}/`), _makeSnapshot: true })
installModules(pyodide, sources)
const bytes = pyodide.makeMemorySnapshot()
for (let position = 0; position < bytes.length; ) position += Deno.stdout.writeSync(bytes.subarray(position))
Deno.exit(0)
