import { sql } from 'kysely'
import type { VersionAuthor } from '#store/author.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { type VersionPageRequest, versionPage } from '#store/version-page.ts'
import { CURRENT_VERSION_COLUMNS } from './passage-row.ts'

/** A version of a passage without its text, which can be long. */
export interface PassageVersionRow extends VersionAuthor {
  passage_id: string
  version: number
  tags: string[]
  metadata: Record<string, unknown> | null
  size_bytes: number
  created_at: Date
}

/** All versions: those from before edits, and the passage as it is. */
const VERSIONS = `(
    select v.organization_id, v.passage_id, v.version, v.text, v.tags, v.metadata, v.author_type, v.author_id, v.run_id, v.tool_name, v.created_at
    from passage_versions as v
    union all
    select p.organization_id, p.id, ${CURRENT_VERSION_COLUMNS} from passages as p
  ) as v`

const COLUMNS = `v.passage_id, v.version, v.tags, v.metadata, octet_length(v.text) as size_bytes, v.author_type, v.author_id, v.run_id,
  v.tool_name, v.created_at`

/** The versions of a passage, by their numbers. */
export async function listPassageVersions(
  db: Queryable,
  organizationId: string,
  passageId: string,
  page: VersionPageRequest,
): Promise<PassageVersionRow[]> {
  const paging = versionPage(page, 'v.version')
  const query = sql`select ${sql.raw(COLUMNS)} from ${sql.raw(VERSIONS)}
    where v.organization_id = ${organizationId} and v.passage_id = ${passageId} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  return paging.finish(
    await db.query<PassageVersionRow>(...toStatement('list-passage-versions', query.compile(sqlBuilder))),
  )
}

const FIND_PASSAGE_VERSIONS = statement(
  'find-passage-versions',
  `select ${COLUMNS}, v.text from ${VERSIONS}
   where v.organization_id = $1 and v.passage_id = $2 and v.version = any($3::integer[]) order by v.version`,
)

/** Those of these versions that there are, with their texts, by their numbers. */
export async function findPassageVersions(
  db: Queryable,
  organizationId: string,
  passageId: string,
  versions: readonly number[],
): Promise<(PassageVersionRow & { text: string })[]> {
  return db.query(FIND_PASSAGE_VERSIONS, [organizationId, passageId, versions])
}
