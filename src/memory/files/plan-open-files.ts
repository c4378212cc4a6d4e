import type { AgentFileState } from '#store/agents/agent-file-reader.ts'

/**
 * Which open files must be closed so that `wanted` can be open too: those that were not used for the longest time.
 * `wanted` has at most `maxFilesOpen` entries.
 */
export function filesToClose(
  files: readonly AgentFileState[],
  wanted: ReadonlySet<string>,
  maxFilesOpen: number,
): AgentFileState[] {
  const others = files
    .filter((file) => file.is_open && !wanted.has(file.file_id))
    .toSorted((a, b) => (a.last_accessed_at?.getTime() ?? 0) - (b.last_accessed_at?.getTime() ?? 0))
  const surplus = others.length + wanted.size - maxFilesOpen
  return others.slice(0, Math.max(surplus, 0))
}
