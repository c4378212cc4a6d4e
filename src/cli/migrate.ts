import type { Command } from 'commander'
import { loadConfig } from '#config/config.ts'
import { addOptionFlags, readOptionFlags } from './option-flags.ts'

/** `perdure migrate`: brings the schema of the database up to date, for deployments that do so as a step of their own. */
export function registerMigrate(program: Command): void {
  const command = program.command('migrate').description('bring the schema of the database up to date')
  addOptionFlags(command, ['Database']).action(async () => {
    const { dataDir, databaseUrl } = loadConfig({ flags: readOptionFlags(command) })
    const [{ openDatabase }, { migrate }] = await Promise.all([
      import('#store/open-database.ts'),
      import('#store/migrate.ts'),
    ])
    await using db = await openDatabase(
      databaseUrl === undefined ? { kind: 'pglite', dataDir } : { kind: 'postgres', url: databaseUrl, poolSize: 2 },
    )
    const { applied } = await migrate(db, { onProgress: (line) => process.stdout.write(`${line}\n`) })
    process.stdout.write(applied.length === 0 ? 'The schema is up to date.\n' : `Applied ${applied.join(', ')}.\n`)
  })
}
