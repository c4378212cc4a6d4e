import type { Queryable } from '#store/db.ts'
import { deleteTool } from '#store/tools/tool-writer.ts'
import { toolNotFound } from './modify-tool.ts'

/**
 * Deletes a tool, and takes it from all agents. A tool of the server can be deleted like any other, and comes back, with another id, when
 * tools are listed or an agent asks for it by name. Throws not_found.
 */
export async function removeTool(db: Queryable, organizationId: string, toolId: string): Promise<void> {
  if (!(await deleteTool(db, organizationId, toolId))) throw toolNotFound(toolId)
}
