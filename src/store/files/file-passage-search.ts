import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import type { Queryable } from '#store/db.ts'
import { type FilePassageRow, filePassageColumns } from './file-row.ts'

/** At least one of `terms` (words or phrases) must occur, none of `excluded`. */
interface Terms {
  terms: readonly string[]
  excluded: readonly string[]
}

const toTsQuery = (term: string): RawBuilder<unknown> => sql`phraseto_tsquery('english', ${term})`

/** Passages of the folders of an agent. */
const ofAgent = (organizationId: string, agentId: string): RawBuilder<unknown> =>
  allOf(
    sql`p.organization_id = ${organizationId}`,
    sql`p.folder_id = any(array(select af.folder_id from agent_folders as af
      where af.organization_id = ${organizationId} and af.agent_id = ${agentId}))`,
  )

const search = (score: RawBuilder<unknown>, where: RawBuilder<unknown>, limit: number) => sql`
  select ${sql.raw(filePassageColumns('p', 'fi', 'fo'))} from file_passages as p
  join files as fi on fi.organization_id = p.organization_id and fi.id = p.file_id
  join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
  where ${where} order by ${score} desc, p.file_id, p.position limit ${limit}`

/** Full-text search in English, the best first: most of the terms, then how often and how close together. */
export async function searchFilePassagesByWords(
  db: Queryable,
  organizationId: string,
  agentId: string,
  { terms, excluded }: Terms,
  limit: number,
): Promise<FilePassageRow[]> {
  const anyTerm = sql.join(terms.map(toTsQuery), sql` || `)
  const matching = sql.join(
    terms.map((term) => sql`(p.search @@ ${toTsQuery(term)})::int`),
    sql` + `,
  )
  const where = allOf(
    ofAgent(organizationId, agentId),
    sql`p.search @@ (${anyTerm})`,
    ...excluded.map((term) => sql`not p.search @@ ${toTsQuery(term)}`),
  )
  const query = search(sql`${matching} + ts_rank_cd(p.search, ${anyTerm}, 32)`, where, limit)
  return db.query<FilePassageRow>(...toStatement('search-file-passages-by-words', query.compile(sqlBuilder)))
}

/** The same by substrings in any case. Reads every passage of the agent's folders. */
export async function searchFilePassagesBySubstring(
  db: Queryable,
  organizationId: string,
  agentId: string,
  { terms, excluded }: Terms,
  limit: number,
): Promise<FilePassageRow[]> {
  const patterns = terms.map(containsPattern)
  const matching = sql.join(
    patterns.map((pattern) => sql`(p.text ilike ${pattern})::int`),
    sql` + `,
  )
  const where = allOf(
    ofAgent(organizationId, agentId),
    sql`p.text ilike any(${patterns}::text[])`,
    ...excluded.map((term) => sql`not p.text ilike ${containsPattern(term)}`),
  )
  const query = search(sql`(${matching})`, where, limit)
  return db.query<FilePassageRow>(...toStatement('search-file-passages-by-substring', query.compile(sqlBuilder)))
}
