import { setTimeout as sleep } from 'node:timers/promises'
import type { Db, Queryable, Statement } from '#store/db.ts'

/** What happens to one statement: lost on the way there, or its answer on the way back. */
export type Fault = { kind: 'before' | 'after' | 'none'; delayMs?: number }

/** A database whose statements fail as a network makes them fail; `choose` says how, for each. */
export function faultyDb(db: Db, choose: (statement: Statement) => Fault | Promise<Fault>): Db {
  const wrap = (inner: Queryable): Queryable['query'] =>
    async function query<Row>(statement: Statement, params?: readonly unknown[]): Promise<Row[]> {
      const { kind, delayMs } = await choose(statement)
      if (delayMs !== undefined) await sleep(delayMs)
      if (kind === 'before') throw lost()
      const rows = await inner.query<Row>(statement, params)
      if (kind === 'after') throw lost()
      return rows
    }
  return {
    engine: db.engine,
    query: wrap(db),
    transaction: (work) => db.transaction((tx) => work({ query: wrap(tx) })),
    execute: (script) => db.execute(script),
    maintain: (task, commands) => db.maintain(task, commands),
    listen: (channel, onNotify) => db.listen(channel, onNotify),
    [Symbol.asyncDispose]: async () => {},
  }
}

const lost = (): Error => Object.assign(new Error('Connection terminated unexpectedly'), { code: '08006' })
