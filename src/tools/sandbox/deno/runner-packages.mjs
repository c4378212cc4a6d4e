/**
 * Imports from a folder of installed packages, with read permission for that folder alone. Deno's own way (`--node-modules-dir=manual`) reads modules and JSON
 * out of every `node_modules` of the machine without permission (2.9.6), so names are resolved here, as Node does it, and CommonJS
 * runs by the small `require` below: Deno's does not find what such packages mean (`module-sync`, JSON beside a hook).
 */
const IMPORT = ['import', 'node', 'default']
const REQUIRE = ['require', 'node', 'default']
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
  Object.defineProperty(globalThis, REQUIRE_KEY, { value: createLoader(folder, createRequire(entry), isBuiltin) })

  const resolve = (specifier, context, next) => {
    if (specifier === entry) return { url: entry, format: 'module', shortCircuit: true }
    const parent = context.parentURL ?? ''
    if (!parent.startsWith(toUrl(folder))) return next(specifier, context)
    if (isBuiltin(specifier)) return next(specifier.startsWith('node:') ? specifier : `node:${specifier}`, context)
    const path = resolveFrom(specifier, toPath(parent), folder, IMPORT)
    const format = formatOf(path, folder)
    return { url: format === 'module' ? toUrl(path) : `${toUrl(path)}?as-module`, format: 'module', shortCircuit: true }
  }
  const load = (url, context, next) => {
    if (url === entry) return { format: 'module', source, shortCircuit: true }
    if (url.endsWith('?as-module')) return { format: 'module', source: wrap(toPath(url)), shortCircuit: true }
    return next(url, context)
  }
  registerHooks({ resolve, load })
  return await import(entry)
}

/** `require` of a path, for CommonJS that is in the folder: each file runs once. Modules and what is Node's own come through `native`. */
function createLoader(folder, native, isBuiltin) {
  const loaded = new Map()
  const load = (path) => {
    const known = loaded.get(path)
    if (known !== undefined) return known.exports
    if (formatOf(path, folder) === 'module') return native(path)
    const module = { exports: {}, id: path, filename: path, loaded: false, children: [], paths: [] }
    loaded.set(path, module)
    const text = Deno.readTextFileSync(path)
    if (path.endsWith('.json')) module.exports = JSON.parse(text)
    else run(module, text, path)
    module.loaded = true
    return module.exports
  }
  const run = (module, text, path) => {
    const require = (specifier) =>
      isBuiltin(specifier) ? native(specifier) : load(resolveFrom(specifier, path, folder, REQUIRE))
    require.resolve = (specifier) => (isBuiltin(specifier) ? specifier : resolveFrom(specifier, path, folder, REQUIRE))
    require.cache = {}
    const source = `${text.replace(/^#!.*/, '')}\n//# sourceURL=${toUrl(path)}`
    const body = new Function('exports', 'require', 'module', '__filename', '__dirname', source)
    body.call(module.exports, module.exports, require, module, path, folderOf(path))
  }
  return load
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

function resolveFrom(specifier, parent, folder, conditions) {
  if (/^\.{0,2}(?:\/|$)/.test(specifier)) return probe(toPath(new URL(specifier, toUrl(parent)).href))
  if (specifier.startsWith('file:')) return toPath(specifier)
  if (specifier.startsWith('#')) return resolveImports(specifier, parent, folder, conditions)
  const [, name, rest = ''] = /^((?:@[^/]+\/)?[^/]+)(?:\/(.*))?$/.exec(specifier) ?? []
  for (let at = folderOf(parent); at.length >= folder.length; at = folderOf(at)) {
    const root = `${at}/node_modules/${name}`
    const description = at.endsWith('/node_modules') ? undefined : readJson(`${root}/package.json`)
    if (description !== undefined) return resolveIn(root, description, rest === '' ? '.' : `./${rest}`, conditions)
  }
  throw notFound(specifier)
}

function resolveImports(specifier, parent, folder, conditions) {
  const { root, description } = nearestPackage(parent, folder)
  const target = pick(description?.imports ?? {}, specifier, conditions)
  if (target === undefined) throw notFound(specifier)
  return target.startsWith('./') ? `${root}${target.slice(1)}` : resolveFrom(target, parent, folder, conditions)
}

function resolveIn(root, description, subpath, conditions) {
  const { exports, main } = description
  if (exports !== undefined && exports !== null) {
    const isMap = typeof exports === 'object' && !Array.isArray(exports) && Object.keys(exports)[0]?.startsWith('.')
    const target = pick(isMap ? exports : { '.': exports }, subpath, conditions)
    if (target === undefined) throw notFound(`${root.split('/node_modules/').at(-1)}${subpath.slice(1)}`)
    return `${root}${target.slice(1)}`
  }
  return probe(`${root}/${subpath === '.' ? (main ?? 'index.js') : subpath.slice(2)}`)
}

/** A file by its name, or what Node adds to one. */
function probe(path) {
  const clean = path.replace(/\/+$/, '')
  const inFolder = readJson(`${clean}/package.json`)?.main
  const names = [clean, `${clean}.js`, `${clean}.cjs`, `${clean}.json`]
  if (inFolder !== undefined)
    names.push(...[inFolder, `${inFolder}.js`, `${inFolder}/index.js`].map((main) => `${clean}/${main}`))
  const found = [...names, `${clean}/index.js`].find(isFile)
  if (found === undefined) throw notFound(path)
  return found
}

/** The entry of `exports` or `imports` for a path: exact, or by the longest pattern with a star. */
function pick(map, wanted, conditions) {
  if (Object.hasOwn(map, wanted)) return chosen(map[wanted], conditions)
  const patterns = Object.keys(map).filter((key) => key.includes('*'))
  for (const pattern of patterns.sort((a, b) => b.indexOf('*') - a.indexOf('*'))) {
    const [before, after] = pattern.split('*')
    const fits = wanted.startsWith(before) && wanted.endsWith(after) && wanted.length > before.length + after.length
    const star = fits ? wanted.slice(before.length, wanted.length - after.length) : undefined
    if (star !== undefined) return chosen(map[pattern], conditions)?.replaceAll('*', star)
  }
  return undefined
}

function chosen(target, conditions) {
  if (typeof target === 'string') return target
  if (Array.isArray(target)) return target.map((each) => chosen(each, conditions)).find((each) => each !== undefined)
  if (target === null || typeof target !== 'object') return undefined
  for (const [condition, value] of Object.entries(target)) {
    const found = conditions.includes(condition) ? chosen(value, conditions) : undefined
    if (found !== undefined) return found
  }
  // what is meant for the other way alone can be had too
  const other = conditions === REQUIRE ? target.import : target.require
  return other === undefined ? undefined : chosen(other, conditions)
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
