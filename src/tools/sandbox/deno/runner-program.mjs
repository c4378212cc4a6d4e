// biome-ignore lint/security/noGlobalEval: a program's value is what eval gives, and running code is what this process is for
const globalEval = globalThis.eval
const AsyncFunction = (async () => {}).constructor
/** Places at which the last expression of a program is looked for. */
const MAX_TRIES = 40

/**
 * Runs a source that is no function but a program, and tells its value:
 * a script's is that of its last expression, as `eval` has it; with `await` at the top it is that of the last expression that stands as a statement of
 * its own; that of a module (`import`, `export`) is its default export. Nothing runs twice: what is tried out is only compiled.
 */
export async function runProgram(source, load) {
  if (compiles(Function, source)) {
    const mark = `__${crypto.randomUUID().replaceAll('-', '')}`
    try {
      // in front of the source, on its first line: where the text cannot be compiled as a script, nothing of it has run
      return await globalEval(`void (globalThis.${mark} = true); ${source}`)
    } catch (error) {
      if (!(error instanceof SyntaxError) || globalThis[mark] === true) throw error
    } finally {
      delete globalThis[mark]
    }
  }
  const returning = withReturn(source)
  if (returning !== undefined) return await AsyncFunction(returning)()
  if (compiles(AsyncFunction, source)) return await AsyncFunction(source)()
  const module = await load(source)
  return module.default
}

function compiles(Kind, source) {
  try {
    Kind(source)
    return true
  } catch {
    return false
  }
}

/** The source with `return (…)` around its last expression; undefined where there is none. */
function withReturn(source) {
  const text = source.trimEnd().replace(/;+$/, '')
  let position = text.length
  for (let tries = 0; tries < MAX_TRIES && position > 0; tries += 1) {
    position = Math.max(text.lastIndexOf('\n', position - 1), text.lastIndexOf(';', position - 1), -1)
    const changed = `${text.slice(0, position + 1)}return (${text.slice(position + 1)}\n)`
    if (text.slice(position + 1).trim() !== '' && compiles(AsyncFunction, changed)) return changed
    if (position <= 0) return undefined
  }
  return undefined
}
