import { type RawBuilder, sql } from 'kysely'

/** The conditions that are there, joined by `and`; leave out a condition by giving false or undefined. */
export function allOf(...conditions: (RawBuilder<unknown> | false | undefined)[]): RawBuilder<unknown> {
  const given = conditions.filter((condition) => condition !== undefined && condition !== false)
  return given.length === 0 ? sql`true` : sql.join(given, sql` and `)
}
