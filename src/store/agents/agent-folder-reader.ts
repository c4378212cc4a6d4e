import { type Queryable, statement } from '#store/db.ts'
import { type FolderRow, folderColumns } from '#store/folders/folder-row.ts'

const LIST_FOLDERS_OF_AGENTS = statement(
  'list-folders-of-agents',
  `select af.agent_id as of_agent, ${folderColumns('f')} from agent_folders as af
   join folders as f on f.organization_id = af.organization_id and f.id = af.folder_id
   where af.organization_id = $1 and af.agent_id = any($2::text[])
   order by af.attached_at, af.folder_id`,
)

/** The folders of each agent, in the order in which they were attached. */
export async function listFoldersOfAgents(
  db: Queryable,
  organizationId: string,
  agentIds: readonly string[],
): Promise<Map<string, FolderRow[]>> {
  const rows = await db.query<FolderRow & { of_agent: string }>(LIST_FOLDERS_OF_AGENTS, [organizationId, agentIds])
  const byAgent = Map.groupBy(rows, (row) => row.of_agent)
  return new Map([...byAgent].map(([id, folders]) => [id, folders.map(({ of_agent: _, ...folder }) => folder)]))
}

const LIST_AGENTS_OF_FOLDER = statement(
  'list-agents-of-folder',
  `select af.agent_id from agent_folders as af
   where af.organization_id = $1 and af.folder_id = $2 order by af.agent_id`,
)

/** Ids of all agents that have the folder. */
export async function listAgentIdsOfFolder(db: Queryable, organizationId: string, folderId: string): Promise<string[]> {
  const rows = await db.query<{ agent_id: string }>(LIST_AGENTS_OF_FOLDER, [organizationId, folderId])
  return rows.map((row) => row.agent_id)
}
