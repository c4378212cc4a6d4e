import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { EMPTY_FOLDER_MARK } from '#store/data-directory.ts'
import { ensureTemplate } from '#store/pglite-template.ts'

/**
 * Compiles `src/` to `dist/` for the published package, because Node runs no TypeScript below `node_modules`. Our syntax is
 * erasable, so compiling means what `node src/main.ts` does in memory: types become blanks. Lines and columns stay, and with
 * them stack traces. Only the endings of imports change.
 */
const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src')
const target = join(root, 'dist')

/** `'./x.ts'` and `'#a/b.ts'`, in imports and in `new URL('./worker.ts', import.meta.url)`. */
const OWN_FILE = /(['"])((?:\.{1,2}\/|#)[\w./-]+)\.ts\1/g

rmSync(target, { recursive: true, force: true })
let count = 0
for (const path of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
  if (path.endsWith('.ts')) compile(path)
  else if (/\.\w+$/.test(path)) copy(path)
}
// the nearest package.json decides what `#` means: here it is this folder, in the checkout src/
writeFileSync(
  join(target, 'package.json'),
  `${JSON.stringify({ type: 'module', imports: { '#*': './*' } }, null, 2)}\n`,
)
keepEmptyFolders(await ensureTemplate(join(root, '.cache'), console.log))
console.log(`built dist/ from ${count} files`)

function compile(path: string): void {
  if (path.endsWith('.test.ts')) return
  const code = stripTypeScriptTypes(readFileSync(join(source, path), 'utf8')).replaceAll(OWN_FILE, '$1$2.js$1')
  const file = join(target, path.replace(/\.ts$/, '.js'))
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, code)
  count++
}

/** Whatever else lies beside the code: prompts, pages. */
function copy(path: string): void {
  mkdirSync(dirname(join(target, path)), { recursive: true })
  cpSync(join(source, path), join(target, path))
}

/** The prepared database is packed too: a first start then takes one second instead of six. */
function keepEmptyFolders(folder: string): void {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isDirectory() && readdirSync(path).length === 0) writeFileSync(join(path, EMPTY_FOLDER_MARK), '')
  }
}
