import { invalidArgument, notFound } from '#platform/errors.ts'
import { listToolsByNameOrId } from '#store/agents/agent-tool-reader.ts'
import type { Queryable } from '#store/db.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { findBuiltinTool } from '#tools/registry.ts'

/**
 * The tools of these names and ids, each once, names first. A built-in tool that somebody deleted is made anew.
 * Throws invalid_argument for an unknown name, not_found for an unknown id.
 */
export async function resolveTools(
  db: Queryable,
  organizationId: string,
  names: readonly string[],
  ids: readonly string[],
): Promise<ToolRow[]> {
  if (names.length === 0 && ids.length === 0) return []
  let found = await listToolsByNameOrId(db, organizationId, names, ids)
  const isMissing = (name: string) => !found.some((tool) => tool.name === name)
  if (names.some((name) => isMissing(name) && findBuiltinTool(name) !== undefined)) {
    await ensureBuiltinTools(db, organizationId)
    found = await listToolsByNameOrId(db, organizationId, names, ids)
  }
  const missing = names.filter(isMissing)
  if (missing.length > 0) {
    throw invalidArgument(`Tools not found: there are no tools named ${missing.map((name) => `'${name}'`).join(', ')}.`)
  }
  const byId = new Map(found.map((tool) => [tool.id, tool]))
  const unknown = ids.filter((id) => !byId.has(id))
  if (unknown.length > 0) throw notFound(`Tools not found: there are no tools with the ids ${unknown.join(', ')}.`)
  const named = names.flatMap((name) => found.filter((tool) => tool.name === name))
  const wanted = [...named, ...ids.flatMap((id) => byId.get(id) ?? [])]
  return [...new Set(wanted)]
}

/** A rule for each tool that may not run before a person has agreed. */
export const approvalRulesOf = (tools: readonly ToolRow[]): Record<string, unknown>[] =>
  tools
    .filter((tool) => tool.default_requires_approval === true)
    .map((tool) => ({ type: 'requires_approval', tool_name: tool.name }))
