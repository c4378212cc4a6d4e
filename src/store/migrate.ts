import { DomainError } from '#platform/errors.ts'
import { type Db, type Queryable, statement } from './db.ts'
import { type Migration, readMigrations } from './migration-files.ts'

interface MigrateOptions {
  onProgress?: ((line: string) => void) | undefined
  /** Another folder than the one of this package; for tests. */
  directory?: string | undefined
}

interface AppliedRow {
  number: number
  name: string
  checksum: string
}

const findTable = statement(
  'find-migrations-table',
  `select to_regclass('schema_migrations') is not null as exists, to_regclass('alembic_version') is not null as is_foreign`,
)
const listApplied = statement(
  'list-applied-migrations',
  'select m.number, m.name, m.checksum from schema_migrations m order by m.number',
)

// any number that no other advisory lock in this database has
const LOCK_KEY = 7_366_431

/**
 * Applies the migrations that are missing, each in one transaction with its row in `schema_migrations`. Several processes may
 * call it at once: one applies, the others wait and find nothing to do. Throws when an applied file was changed, when the database
 * knows a migration that this version does not, and conflict when it is the one of a V1 server.
 */
export async function migrate(db: Db, options: MigrateOptions = {}): Promise<{ applied: string[] }> {
  const migrations = await readMigrations(options.directory)
  const applied: string[] = []
  for (const migration of findMissing(migrations, await readApplied(db))) {
    options.onProgress?.(`applying migration ${migration.name}`)
    if (await apply(db, migration)) applied.push(migration.name)
  }
  return { applied }
}

async function readApplied(db: Queryable): Promise<AppliedRow[]> {
  const [table] = await db.query<{ exists: boolean; is_foreign: boolean }>(findTable)
  if (table?.exists === true) return db.query<AppliedRow>(listApplied)
  // its address is in LETTA_PG_URI, which is understood: whoever moves comes by here
  if (table?.is_foreign === true) {
    throw new DomainError(
      'conflict',
      'This database belongs to another program, such as a Letta V1 server (it has a table alembic_version), and was left as it is. ' +
        'Name an empty one in PERDURE_DATABASE_URL, and bring agents over as agent files: docs/migrating-from-v1.md.',
    )
  }
  return []
}

function findMissing(migrations: readonly Migration[], applied: readonly AppliedRow[]): Migration[] {
  const known = new Map(migrations.map((migration) => [migration.number, migration]))
  for (const row of applied) {
    const migration = known.get(row.number)
    if (migration === undefined) {
      throw new Error(
        `the database has migration ${row.name}, which this version does not know: it was used by a newer version; start that one`,
      )
    }
    if (migration.checksum !== row.checksum) {
      throw new Error(
        `migration ${row.name} was changed after it was applied to this database; put its file back as it was and write a new migration`,
      )
    }
  }
  const appliedNumbers = new Set(applied.map((row) => row.number))
  return migrations.filter((migration) => !appliedNumbers.has(migration.number))
}

/** False when another process applied it while we waited for the lock. */
async function apply(db: Db, migration: Migration): Promise<boolean> {
  // One script is one transaction on one connection, and the simple protocol takes several commands. The insert stands first:
  // where another process was quicker it fails on the key, and with it the whole script.
  const script = `
    select pg_advisory_xact_lock(${LOCK_KEY});
    create table if not exists schema_migrations (
      number integer primary key,
      name text not null,
      checksum text not null,
      applied_at timestamptz not null default now()
    );
    insert into schema_migrations (number, name, checksum)
    values (${migration.number}, '${migration.name}', '${migration.checksum}');
    ${migration.script}`
  try {
    await db.execute(script)
    return true
  } catch (error) {
    const row = (await readApplied(db)).find((candidate) => candidate.number === migration.number)
    if (row?.checksum === migration.checksum) return false
    throw new Error(`migration ${migration.name} failed and changed nothing: ${(error as Error).message}`, {
      cause: error,
    })
  }
}
