import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import type { Queryable } from '#store/db.ts'
import type { PageRequest } from '#store/page.ts'

/**
 * The distinct tags of agents and blocks in byte order; the cursors of the page are tags. Each side reads its index over
 * (organisation, tag) in order and stops at the limit.
 */
export async function listTags(
  db: Queryable,
  organizationId: string,
  contains: string | undefined,
  page: PageRequest,
): Promise<string[]> {
  const isBackwards = page.before !== undefined && page.after === undefined
  const isAscending = (page.order === 'asc') !== isBackwards
  const direction = sql.raw(isAscending ? 'asc' : 'desc')
  const later = sql.raw(page.order === 'asc' ? '>' : '<')
  const earlier = sql.raw(page.order === 'asc' ? '<' : '>')
  const side = (table: string) => sql`(select distinct t.tag from ${sql.table(table)} as t
    where ${allOf(
      sql`t.organization_id = ${organizationId}`,
      page.after !== undefined && sql`t.tag ${later} ${page.after}`,
      page.before !== undefined && sql`t.tag ${earlier} ${page.before}`,
      contains !== undefined && sql`t.tag ilike ${containsPattern(contains)}`,
    )} order by t.tag ${direction} limit ${page.limit})`
  const query = sql`select tag from (${side('agent_tags')} union ${side('block_tags')}) as tags
    order by tag ${direction} limit ${page.limit}`
  const rows = await db.query<{ tag: string }>(...toStatement('list-tags', query.compile(sqlBuilder)))
  const tags = rows.map((row) => row.tag)
  return isBackwards ? tags.reverse() : tags
}
