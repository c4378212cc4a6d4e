import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

export interface Migration {
  number: number
  /** File name without `.sql`. */
  name: string
  script: string
  /** SHA-256 of the file, hexadecimal. */
  checksum: string
}

/** The folder of the numbered `.sql` files: at the root beside `src/`, or copied into `dist/`. */
export function migrationsDirectory(): string {
  const candidates = ['../migrations/', '../../migrations/'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  )
  const found = candidates.find((path) => existsSync(path))
  if (found === undefined)
    throw new Error(`no migrations folder at ${candidates.join(' or ')}; install the package again`)
  return found
}

/** The migrations of a folder in the order of their numbers. Throws where a name is wrong or a number stands twice. */
export async function readMigrations(directory: string = migrationsDirectory()): Promise<Migration[]> {
  const files = (await readdir(directory)).filter((file) => file.endsWith('.sql')).sort()
  const migrations = await Promise.all(
    files.map(async (file) => {
      const number = /^(\d{4})-[a-z0-9-]+\.sql$/.exec(file)?.[1]
      if (number === undefined) throw new Error(`${directory}${file} is not named like 0001-what-it-does.sql`)
      const script = await readFile(`${directory}/${file}`, 'utf8')
      const checksum = createHash('sha256').update(script).digest('hex')
      return { number: Number(number), name: file.slice(0, -'.sql'.length), script, checksum }
    }),
  )
  const twice = migrations.find((migration, index) => migration.number === migrations[index - 1]?.number)
  if (twice !== undefined) throw new Error(`two migrations have the number ${twice.number}; renumber ${twice.name}`)
  return migrations
}
