import { type Queryable, statement } from '#store/db.ts'

/** What an agent sees of a file from now on; all null when it is closed. The names are the columns' names. */
export interface FileView {
  file_id: string
  is_open: boolean
  start_line: number | null
  end_line: number | null
  visible_content: string | null
}

/** Files that are opened count as used, in their order; those that are closed do not. `from` gives a row per statement to do. */
export const applyFileViews = (source: {
  json: string
  organizationId: string
  agentId: string
  from?: string
}): string => `
  update agent_files as af set is_open = e.is_open, start_line = e.start_line, end_line = e.end_line,
    visible_content = e.visible_content,
    last_accessed_at = case when e.is_open then statement_timestamp() + e.position * interval '1 microsecond' else af.last_accessed_at end
  from ${source.from === undefined ? '' : `${source.from} cross join`} (
    select item.position, n.* from jsonb_array_elements(${source.json}) with ordinality as item (value, position)
    cross join lateral jsonb_to_record(item.value) as n (file_id text, is_open boolean, start_line integer, end_line integer,
      visible_content text)
  ) as e
  where af.organization_id = ${source.organizationId} and af.agent_id = ${source.agentId} and af.file_id = e.file_id`

const SET_FILE_VIEWS = statement(
  'set-file-views',
  applyFileViews({ json: '$3::jsonb', organizationId: '$1', agentId: '$2' }),
)

/** Opens and closes files of an agent; files that it does not have any more are left out. */
export async function setFileViews(
  db: Queryable,
  organizationId: string,
  agentId: string,
  views: readonly FileView[],
): Promise<void> {
  if (views.length === 0) return
  await db.query(SET_FILE_VIEWS, [organizationId, agentId, JSON.stringify(views)])
}
