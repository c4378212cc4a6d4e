import { type RawBuilder, sql } from 'kysely'
import { type Queryable, statement } from '#store/db.ts'
import type { VectorScope } from '#store/embeddings/nearest.ts'
import type { PartSource } from '#store/search/rank-by-parts.ts'
import { type FilePassageRow, filePassageColumns } from './file-row.ts'

/** The files of the folders of this agent. */
export interface FilePassageScope {
  organizationId: string
  agentId: string
}

const inFolders = (
  { organizationId, agentId }: FilePassageScope,
  organization: RawBuilder<unknown>,
  folder: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`${organization} = ${organizationId}
  and ${folder} = any(array(select af.folder_id from agent_folders as af
    where af.organization_id = ${organizationId} and af.agent_id = ${agentId}))`

/** Where words, and parts of them, are looked for. */
export const filePassageSource = (scope: FilePassageScope): PartSource => ({
  table: 'file_passages',
  scope: inFolders(scope, sql.ref('s.organization_id'), sql.ref('s.folder_id')),
  filters: sql`true`,
  parts: { column: 'text', order: 's.file_id, s.position' },
  total: sql`(select sum(f.passage_count) from files as f
    where ${inFolders(scope, sql.ref('f.organization_id'), sql.ref('f.folder_id'))})`,
})

/** The same scope for vectors. */
export const filePassageVectorScope = (scope: FilePassageScope): VectorScope => ({
  organizationId: scope.organizationId,
  kind: 'file_passage',
  within: inFolders(scope, sql.ref('e.organization_id'), sql.ref('e.scope_id')),
})

const READ = statement(
  'read-file-passages',
  `select ${filePassageColumns('p', 'fi', 'fo')} from unnest($2::text[]) with ordinality as w (id, place)
   join file_passages as p on p.organization_id = $1 and p.id = w.id
   join files as fi on fi.organization_id = p.organization_id and fi.id = p.file_id
   join folders as fo on fo.organization_id = fi.organization_id and fo.id = fi.folder_id
   order by w.place`,
)

/** Passages in the order in which they are named; those that are gone are missing. */
export function readFilePassages(
  db: Queryable,
  organizationId: string,
  ids: readonly string[],
): Promise<FilePassageRow[]> {
  return db.query<FilePassageRow>(READ, [organizationId, ids])
}
