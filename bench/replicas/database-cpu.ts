import { type Db, statement } from '#store/db.ts'
import { cpuMsOf } from './measured-server.ts'

const backends = statement(
  'bench-backends',
  'select a.pid from pg_stat_activity as a where a.datname = current_database()',
)

/**
 * Milliseconds of processor time that the sessions of this database have used so far, where PostgreSQL is on this machine; 0 where
 * it is not. Between two looks at the same pool the difference counts.
 */
export async function databaseCpuMs(db: Db): Promise<number> {
  const rows = await db.query<{ pid: number }>(backends)
  const times = await Promise.all(rows.map(({ pid }) => cpuMsOf(pid).catch(() => 0)))
  return times.reduce((sum, time) => sum + time, 0)
}
