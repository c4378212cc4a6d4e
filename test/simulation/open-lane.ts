import { DEFAULT_ORGANIZATION_ID } from '#platform/ids.ts'
import type { Db } from '#store/db.ts'
import { RUNS_CHANNEL } from '#store/runs/notify-runs.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { openTestDatabase } from '../support/test-database.ts'

const CONNECTIONS = 3
/** For speed alone: the database does not crash here, and planning costs more than these small tables are worth. */
const SETTINGS = ['synchronous_commit = off', 'plan_cache_mode = force_generic_plan']

/** A database in which seeds are simulated, one after the other. */
export async function openLane(): Promise<Db> {
  const db = await openTestDatabase({ poolSize: CONNECTIONS })
  if (db.engine === 'postgres') {
    for (const setting of SETTINGS) {
      await db.execute(
        `do $$ begin execute format('alter database %I set ${setting}', current_database()); end $$; set ${setting}`,
      )
    }
  }
  // the connection that listens stays while processes come and go
  await db.listen(RUNS_CHANNEL, () => {})
  await ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)
  return db
}
