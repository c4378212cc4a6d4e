import { sql } from 'kysely'
import type { VersionAuthor } from '#store/author.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { type Queryable, statement } from '#store/db.ts'
import { type VersionPageRequest, versionPage } from '#store/version-page.ts'

/** A version of a block without its value, which can be long. */
export interface BlockVersionRow extends VersionAuthor {
  block_id: string
  version: number
  label: string
  description: string | null
  size_bytes: number
  created_at: Date
}

// the size of a value stands in its header: it is not read for it
const COLUMNS = `v.block_id, v.version, v.label, v.description, octet_length(v.value) as size_bytes, v.author_type, v.author_id, v.run_id,
  v.tool_name, v.created_at`

/** The versions of a block, by their numbers. */
export async function listBlockVersions(
  db: Queryable,
  organizationId: string,
  blockId: string,
  page: VersionPageRequest,
): Promise<BlockVersionRow[]> {
  const paging = versionPage(page, 'v.version')
  const query = sql`select ${sql.raw(COLUMNS)} from block_versions as v
    where v.organization_id = ${organizationId} and v.block_id = ${blockId} and ${paging.where}
    order by ${paging.orderBy} limit ${page.limit}`
  return paging.finish(
    await db.query<BlockVersionRow>(...toStatement('list-block-versions', query.compile(sqlBuilder))),
  )
}

const FIND_BLOCK_VERSIONS = statement(
  'find-block-versions',
  `select ${COLUMNS}, v.value from block_versions as v
   where v.organization_id = $1 and v.block_id = $2 and v.version = any($3::integer[]) order by v.version`,
)

/** Those of these versions that there are, with their values, by their numbers. */
export async function findBlockVersions(
  db: Queryable,
  organizationId: string,
  blockId: string,
  versions: readonly number[],
): Promise<(BlockVersionRow & { value: string })[]> {
  return db.query(FIND_BLOCK_VERSIONS, [organizationId, blockId, versions])
}
