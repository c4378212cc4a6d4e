import type { ModelCatalog } from '#http/v1/agents/present-model.ts'
import { presentFile } from '#http/v1/folders/present-file.ts'
import { presentFolder } from '#http/v1/folders/present-folder.ts'
import { presentTime } from '#http/wire/nullable.ts'
import type { FileToExport } from '#store/files/file-reader.ts'
import type { FolderRow } from '#store/folders/folder-row.ts'

/** The lists of an agent file that are about folders, and what its agent has of them. */
export interface FileFolders {
  sources: Record<string, unknown>[]
  files: Record<string, unknown>[]
  files_agents: Record<string, unknown>[]
}

/** Folders with their files; ids are the file's own. */
export function presentFolders(
  folders: readonly FolderRow[],
  files: readonly FileToExport[],
  catalog: ModelCatalog,
): FileFolders {
  const sourceIds = new Map(folders.map((folder, index) => [folder.id, `source-${index}`]))
  // a folder that was attached meanwhile is not in the list of the agent's
  const known = files.filter((file) => sourceIds.has(file.folder_id))
  return {
    sources: folders.map((folder, index) => {
      const { name, description, instructions, metadata, embedding_config } = presentFolder(folder, catalog)
      const config = { embedding: folder.embedding, embedding_chunk_size: null, embedding_config }
      return { name, description, instructions, metadata, ...config, id: `source-${index}` }
    }),
    files: known.map((file, index) => {
      const { created_at: _, updated_at: __, ...shown } = presentFile(file)
      return { ...shown, source_id: sourceIds.get(file.folder_id), id: `file-${index}` }
    }),
    files_agents: known.map((file, index) => ({
      agent_id: 'agent-0',
      file_id: `file-${index}`,
      source_id: sourceIds.get(file.folder_id),
      file_name: `${file.folder_name}/${file.name}`,
      is_open: file.is_open,
      visible_content: file.visible_content,
      last_accessed_at: presentTime(file.last_accessed_at),
      start_line: file.start_line,
      end_line: file.end_line,
      id: `file_agent-${index}`,
    })),
  }
}
