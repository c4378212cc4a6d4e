/**
 * Runs one call of a tool written in TypeScript, of which the server has removed the types. Started before the call is known; waits for it
 * on standard input, runs it, replies, and is killed.
 */
import {
  announceReady,
  describeThrown,
  installConsole,
  installEnvironment,
  openChannel,
  readCall,
  toText,
} from './runner-channel.mjs'
import { installFetch } from './runner-fetch.mjs'
import { readParameters } from './runner-parameters.mjs'
import { runProgram } from './runner-program.mjs'

const { createObjectURL } = URL
const { apply } = Reflect
const NO_BLOCKS = Object.freeze({ __proto__: null })

// the first import through the module loader costs some milliseconds: here nobody waits for them
await import(createObjectURL(new Blob(['export const warm = true'], { type: 'text/javascript' })))
announceReady()
const call = readCall()
const channel = openChannel(call)
const { print, succeed, fail } = channel
let sourceUrls = []

/** The blob's address says nothing to anybody; frames of these files even less. */
const readable = (text) => sourceUrls.reduce((told, url) => told.replaceAll(url, 'tool.ts'), text)
const readableStack = (stack) =>
  readable(stack)
    .split('\n')
    .filter((line) => !/runner(?:-\w+)?\.mjs|ext:/.test(line))
    .join('\n')

function failWith(thrown) {
  const { type, message, stack } = describeThrown(thrown)
  let said = message
  let shown = `${type}: ${message}`
  try {
    said = readable(message)
    shown = stack === '' ? readable(shown) : readableStack(stack)
  } catch {
    // the code has replaced what texts can do
  }
  print('e', `${shown}\n`)
  fail(type, said)
}

// threads would share the permissions, but take memory and processor time that the limits do not foresee: Deno's process aborts
delete globalThis.Worker
installConsole(print)
const env = installEnvironment(call.env, print)
installFetch(call.hasNetwork ? channel.ask : null)
globalThis.addEventListener('error', (event) => {
  event.preventDefault()
  failWith(event.error)
})
globalThis.addEventListener('unhandledrejection', (event) => {
  event.preventDefault()
  print('e', `Unhandled rejection: ${describeThrown(event.reason).message}\n`)
})

// a chain and not an await at the top: code whose promise never settles then ends the process, instead of waiting for the clock
run().then(
  ({ value, blocks }) => {
    let text
    try {
      text = toText(value)
    } catch (error) {
      failWith(error)
    }
    succeed(text, blocks)
  },
  (error) => failWith(error),
)

async function run() {
  // a program without a value has nothing to say; a function without one says so
  if (call.functionName === null) return { value: (await runProgram(call.source, load)) ?? '', blocks: NO_BLOCKS }
  const tool = findFunction(await load(call.source), call.functionName)
  const blocks = { __proto__: null }
  const values = argumentsOf(readParameters(tool), call, blocks)
  return { value: await apply(tool, undefined, values), blocks }
}

/** A module that imports from the folder of packages is one of that folder's, although no such file exists. */
async function load(source) {
  if (call.packages === null) return await importSource(source)
  await shareEnvironment()
  const { loadBesidePackages } = await import('./runner-packages.mjs')
  // Deno tells the second form
  return await loadBesidePackages(source, call.packages, (url) => {
    sourceUrls = [url, `file://${call.packages}/tool.mjs`]
  })
}

/** Node's own `process` is another object than the one that the code sees as a global. */
async function shareEnvironment() {
  const { default: real } = await import('node:process')
  Object.defineProperty(real, 'env', { value: env, configurable: true, writable: true })
}

async function importSource(source) {
  if (/['"](?:node:)?process['"]/.test(source)) await shareEnvironment()
  const url = createObjectURL(new Blob([source], { type: 'text/javascript' }))
  sourceUrls = [url]
  return await import(url)
}

function findFunction(module, name) {
  const exported = Object.entries(module).filter(([, value]) => typeof value === 'function')
  const found =
    exported.find(([key]) => key === name) ??
    exported.find(([key, value]) => key === 'default' && value.name === name) ??
    exported.find(([key]) => key === 'default') ??
    exported.at(-1)
  if (found !== undefined) return found[1]
  throw new ReferenceError(`the source exports no function '${name}'. Write: export function ${name}(…) { … }`)
}

/** By position, in the order of the function's parameters; one that was not given is undefined, so that defaults hold. */
function argumentsOf(parameters, { args, agentState }, blocks) {
  return parameters.map(({ name, kind }) => {
    if (kind === 'pattern') return args
    if (kind === 'rest') return undefined
    if (Object.hasOwn(args, name)) return args[name]
    return name === 'agent_state' || name === 'agentState' ? agentView(agentState, blocks) : undefined
  })
}

/** What V1 gives to Python tools, in the form of this language. */
function agentView(state, changed) {
  if (state === null) return undefined
  const blocks = state.blocks.map((block) => ({ ...block }))
  const getBlock = (label) => {
    const block = blocks.find((each) => each.label === label)
    if (block === undefined)
      throw new Error(
        `Block field ${label} does not exist (available sections = ${blocks.map((each) => each.label).join(', ')})`,
      )
    return block
  }
  const updateBlockValue = (label, value) => {
    if (typeof value !== 'string') throw new TypeError('the value of a block is a string')
    const block = getBlock(label)
    if (value.length > block.limit) {
      throw new RangeError(
        `Edit failed: Exceeds ${block.limit} character limit (requested ${value.length}) in block '${label}'`,
      )
    }
    block.value = value
    changed[label] = value
  }
  return { ...state, blocks, memory: { blocks, getBlock, updateBlockValue } }
}
