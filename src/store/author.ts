/** Who made a version of a block or passage: a person through the API, also by a tool run by hand, or an agent by a tool within a run. */
export type Author =
  | { type: 'user'; userId: string; toolName?: string | undefined }
  | { type: 'agent'; agentId: string; runId: string; toolName: string }

/** The author as the columns author_type, author_id, run_id and tool_name. */
export function authorColumns(author: Author): [string, string, string | null, string | null] {
  return author.type === 'user'
    ? ['user', author.userId, null, author.toolName ?? null]
    : ['agent', author.agentId, author.runId, author.toolName]
}

/** The author of a version as read. */
export interface VersionAuthor {
  author_type: string
  author_id: string | null
  run_id: string | null
  tool_name: string | null
}
