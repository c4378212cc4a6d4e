import { type Queryable, statement } from '#store/db.ts'

/** The channel on which replicas wake each other; what is said there is only a hint, the tables are the truth. */
export const RUNS_CHANNEL = 'perdure_runs'

const notify = statement('notify-runs', `select pg_notify('${RUNS_CHANNEL}', $1)`)

/** @param payload at most 7 999 bytes: PostgreSQL's limit */
export async function notifyRuns(db: Queryable, payload: string): Promise<void> {
  await db.query(notify, [payload])
}
