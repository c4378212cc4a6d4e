import { type Db, statement } from './db.ts'

const findMissing = statement(
  'find-missing-partitions',
  `select p.parent, m.month
   from unnest(array['messages', 'steps', 'tool_calls', 'provider_calls', 'provider_traces']) as p (parent)
   cross join unnest($1::timestamptz[]) as m (month)
   where to_regclass(p.parent || '_' || to_char(m.month at time zone 'UTC', 'YYYY_MM')) is null`,
)
const makePartition = statement('make-partition', 'select perdure_make_partition($1, $2::timestamptz)')
const lockPartitions = statement('lock-partitions', 'select pg_advisory_xact_lock(7366432)')

/**
 * Makes the monthly partitions of `now` and of the two months after it, where they are missing: one statement when there is
 * nothing to do. Several processes may call it at once.
 */
export async function ensurePartitions(db: Db, now: Date): Promise<void> {
  const months = [0, 1, 2].map((ahead) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1)))
  const missing = await db.query<{ parent: string; month: Date }>(findMissing, [months])
  if (missing.length === 0) return
  await db.transaction(async (tx) => {
    await tx.query(lockPartitions)
    // it looks again, now that nobody else can be making them
    for (const { parent, month } of missing) await tx.query(makePartition, [parent, month])
  })
}
