import { type Queryable, statement } from '#store/db.ts'

// The folder is locked, so that no file comes into it, or is done, between the two reads.
const ATTACH_FOLDER = statement(
  'attach-folder',
  `with attached as (
    insert into agent_folders (organization_id, agent_id, folder_id) values ($1, $2, $3)
    on conflict do nothing
    returning folder_id
  ), known as (
    insert into agent_files (organization_id, id, agent_id, folder_id, file_id, created_at)
    select $1, 'file_agent-' || gen_random_uuid(), $2, attached.folder_id, fi.id,
      statement_timestamp() + row_number() over (order by fi.created_at, fi.id) * interval '1 microsecond'
    from attached join files as fi on fi.organization_id = $1 and fi.folder_id = attached.folder_id
    where fi.processing_status = 'completed'
  )
  select attached.folder_id from attached`,
)

/** Attaches a folder with all its files that can be read, closed. False where it was attached already. */
export async function attachFolderRow(
  tx: Queryable,
  organizationId: string,
  agentId: string,
  folderId: string,
): Promise<boolean> {
  const rows = await tx.query(ATTACH_FOLDER, [organizationId, agentId, folderId])
  return rows.length > 0
}

const DETACH_FOLDERS = statement(
  'detach-folders',
  'delete from agent_folders where organization_id = $1 and agent_id = $2 and folder_id = any($3::text[])',
)

/** Does nothing for those that are not attached. */
export async function detachFolderRows(
  tx: Queryable,
  organizationId: string,
  agentId: string,
  folderIds: readonly string[],
): Promise<void> {
  await tx.query(DETACH_FOLDERS, [organizationId, agentId, folderIds])
}

const DETACH_FILE_TOOLS = statement(
  'detach-file-tools',
  `delete from agent_tools as at using tools as t
   where at.organization_id = $1 and at.agent_id = $2 and t.organization_id = $1 and t.id = at.tool_id
     and t.tool_type = 'letta_files_core'
     and not exists (select from agent_folders as af where af.organization_id = $1 and af.agent_id = $2)`,
)

/** Takes the tools for files from an agent that has no folder any more. */
export async function detachUnusedFileTools(tx: Queryable, organizationId: string, agentId: string): Promise<void> {
  await tx.query(DETACH_FILE_TOOLS, [organizationId, agentId])
}
