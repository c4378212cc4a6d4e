/**
 * Imports from a folder of installed packages, with read permission for that folder alone. Deno's own way (`--node-modules-dir=manual`) reads modules and JSON
 * out of every `node_modules` of the machine without permission (2.9.6), so names are resolved here, as Node does it, and CommonJS
 * comes through `require`, which asks for permission.
 */
const CONDITIONS = ['import', 'node', 'module-sync', 'default']
/** Where modules that stand for CommonJS find `require`. */
const REQUIRE_KEY = Symbol.for('perdure.require')
const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u

const toUrl = (path) => `file://${path.split('/').map(encodeURIComponent).join('/')}`
const toPath = (url) => decodeURIComponent(new URL(url).pathname)
const folderOf = (path) => path.slice(0, path.lastIndexOf('/'))

/** Loads a module as if it lay in the folder; tells its address by `onUrl` before it runs. */
export async function loadBesidePackages(source, folder, onUrl) {
  const { createRequire, isBuiltin, registerHooks } = await import('node:module')
  const entry = toUrl(`${folder}/tool.mjs`)
  onUrl(entry)
  Object.defineProperty(globalThis, REQUIRE_KEY, { value: createRequire(entry) })

  const resolve = (specifier, context, next) => {
    if (specifier === entry) return { url: entry, format: 'module', shortCircuit: true }
    const parent = context.parentURL ?? ''
    if (isBuiltin(specifier) || !parent.startsWith(toUrl(folder)) || context.conditions?.includes('require')) {
      return next(specifier, context)
    }
    const path = resolveFrom(specifier, toPath(parent), folder)
    const format = formatOf(path, folder)
    return { url: format === 'module' ? toUrl(path) : `${toUrl(path)}?as-module`, format: 'module', shortCircuit: true }
  }
  const load = (url, context, next) => {
    if (url === entry) return { format: 'module', source, shortCircuit: true }
    if (url.endsWith('?as-module')) return { format: 'module', source: wrap(toPath(url)), shortCircuit: true }
    // Deno takes JSON that is required for a program when a hook is there
    if (url.endsWith('.json')) return { format: 'json', source: Deno.readTextFileSync(toPath(url)), shortCircuit: true }
    return next(url, context)
  }
  registerHooks({ resolve, load })
  return await import(entry)
}

/** What CommonJS exports, as a module: all of it is the default, and each name that can be one. */
function wrap(path) {
  const exported = globalThis[REQUIRE_KEY](path)
  const isOpen = exported !== null && (typeof exported === 'object' || typeof exported === 'function')
  const names = isOpen ? Object.keys(exported).filter((name) => NAME.test(name) && name !== 'default') : []
  const lines = names.map(
    (name, index) => `const _${index} = _all[${JSON.stringify(name)}]; export { _${index} as ${name} }`,
  )
  const all = `const _all = globalThis[Symbol.for('perdure.require')](${JSON.stringify(path)}); export default _all`
  return [all, ...lines].join('\n')
}

function resolveFrom(specifier, parent, folder) {
  if (/^\.{0,2}\//.test(specifier)) return toPath(new URL(specifier, toUrl(parent)).href)
  if (specifier.startsWith('file:')) return toPath(specifier)
  if (specifier.startsWith('#')) return resolveImports(specifier, parent, folder)
  const [, name, rest = ''] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/.exec(specifier) ?? []
  for (let at = folderOf(parent); at.length >= folder.length; at = folderOf(at)) {
    const root = `${at}/node_modules/${name}`
    const description = at.endsWith('/node_modules') ? undefined : readJson(`${root}/package.json`)
    if (description !== undefined) return resolveIn(root, description, rest === '' ? '.' : `./${rest}`)
  }
  throw notFound(specifier)
}

function resolveImports(specifier, parent, folder) {
  const { root, description } = nearestPackage(parent, folder)
  const target = pick(description?.imports ?? {}, specifier)
  if (target === undefined) throw notFound(specifier)
  return target.startsWith('./') ? `${root}${target.slice(1)}` : resolveFrom(target, parent, folder)
}

function resolveIn(root, description, subpath) {
  const { exports, main } = description
  if (exports !== undefined && exports !== null) {
    const isMap = typeof exports === 'object' && !Array.isArray(exports) && Object.keys(exports)[0]?.startsWith('.')
    const target = pick(isMap ? exports : { '.': exports }, subpath)
    if (target === undefined) throw notFound(`${root.split('/node_modules/').at(-1)}${subpath.slice(1)}`)
    return `${root}${target.slice(1)}`
  }
  const path = `${root}/${subpath === '.' ? (main ?? 'index.js') : subpath.slice(2)}`
  const found = [path, `${path}.js`, `${path}.json`, `${path}/index.js`].find(isFile)
  if (found === undefined) throw notFound(path)
  return found
}

/** The entry of `exports` or `imports` for a path: exact, or by the longest pattern with a star. */
function pick(map, wanted) {
  if (Object.hasOwn(map, wanted)) return chosen(map[wanted])
  const patterns = Object.keys(map).filter((key) => key.includes('*'))
  for (const pattern of patterns.sort((a, b) => b.indexOf('*') - a.indexOf('*'))) {
    const [before, after] = pattern.split('*')
    const fits = wanted.startsWith(before) && wanted.endsWith(after) && wanted.length > before.length + after.length
    const star = fits ? wanted.slice(before.length, wanted.length - after.length) : undefined
    if (star !== undefined) return chosen(map[pattern])?.replaceAll('*', star)
  }
  return undefined
}

function chosen(target) {
  if (typeof target === 'string') return target
  if (Array.isArray(target)) return target.map(chosen).find((each) => each !== undefined)
  if (target === null || typeof target !== 'object') return undefined
  for (const [condition, value] of Object.entries(target)) {
    const found = CONDITIONS.includes(condition) ? chosen(value) : undefined
    if (found !== undefined) return found
  }
  // what is meant for require alone can be had too
  return target.require === undefined ? undefined : chosen(target.require)
}

function formatOf(path, folder) {
  if (path.endsWith('.mjs')) return 'module'
  if (!path.endsWith('.js')) return 'commonjs'
  return nearestPackage(path, folder).description?.type === 'module' ? 'module' : 'commonjs'
}

function nearestPackage(path, folder) {
  for (let root = folderOf(path); root.length > folder.length; root = folderOf(root)) {
    const description = readJson(`${root}/package.json`)
    if (description !== undefined) return { root, description }
  }
  return { root: folder, description: undefined }
}

function isFile(path) {
  try {
    return Deno.statSync(path).isFile
  } catch {
    return false
  }
}

function readJson(path) {
  try {
    return JSON.parse(Deno.readTextFileSync(path))
  } catch {
    return undefined
  }
}

const notFound = (specifier) => new Error(`Cannot find module '${specifier}' among the packages of this tool.`)
