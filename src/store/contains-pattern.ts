import { type RawBuilder, sql } from 'kysely'

/** The pattern of LIKE for "contains this text", its own wildcards taken literally. */
export function containsPattern(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`
}

/** How many of the patterns a column contains, in any case. */
export const matching = (column: string, patterns: readonly string[]): RawBuilder<unknown> =>
  sql`(select count(*) from unnest(${patterns}::text[]) as p (pattern) where ${sql.ref(column)} ilike p.pattern)`
