import { newId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import { countToolsByName, upsertBuiltinTools } from '#store/tools/upsert-builtin-tools.ts'
import { BUILTIN_TOOLS } from './registry.ts'
import type { BuiltinTool } from './tool.ts'

/**
 * Gives the organisation the built-in tools that it lacks and brings the others up to date with this release, in one
 * statement. Returns the names of the tools that were written. Called at start-up.
 */
export async function ensureBuiltinTools(
  db: Queryable,
  organizationId: string,
  tools: readonly BuiltinTool[] = BUILTIN_TOOLS,
): Promise<string[]> {
  return upsertBuiltinTools(db, organizationId, tools.map(toStored))
}

/** The same where a tool is missing, at the price of one index look-up where none is: for lists. */
export async function restoreBuiltinTools(db: Queryable, organizationId: string): Promise<void> {
  const names = BUILTIN_TOOLS.map((tool) => tool.name)
  if ((await countToolsByName(db, organizationId, names)) < names.length) await ensureBuiltinTools(db, organizationId)
}

function toStored({ name, description, toolType, parameters }: BuiltinTool) {
  return {
    id: newId('tool'),
    name,
    tool_type: toolType,
    description,
    json_schema: { name, description, parameters },
    tags: [toolType],
  }
}
