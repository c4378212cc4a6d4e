import { type Queryable, statement } from '#store/db.ts'

const PING = statement('ping', 'select 1 as pong')

/** True when the database answers within the time; never throws. */
export async function pingDatabase(db: Queryable, timeoutMs: number): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => resolve(false), timeoutMs)
  const answer = db.query(PING).then(
    () => true,
    () => false,
  )
  const isAlive = await Promise.race([answer, late])
  clearTimeout(timer)
  return isAlive
}
