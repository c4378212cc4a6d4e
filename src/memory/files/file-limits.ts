import type { StoredFileLimits } from '#store/agents/agent-file-reader.ts'

/** How much of files an agent sees at once. */
export interface FileLimits {
  maxFilesOpen: number
  /** Characters of each open file. */
  windowChars: number
}

/** Where nobody knows how large the context is. */
const DEFAULTS: FileLimits = { maxFilesOpen: 5, windowChars: 50_000 }

/** V1's defaults by the context window, in tokens. */
const DEFAULTS_BY_WINDOW: readonly (FileLimits & { upTo: number })[] = [
  { upTo: 8_000, maxFilesOpen: 3, windowChars: 5_000 },
  { upTo: 32_000, maxFilesOpen: 5, windowChars: 15_000 },
  { upTo: 128_000, maxFilesOpen: 10, windowChars: 25_000 },
  { upTo: 200_000, maxFilesOpen: 10, windowChars: 40_000 },
  { upTo: Number.POSITIVE_INFINITY, maxFilesOpen: 15, windowChars: 40_000 },
]

/** The limits that an agent with this context window begins with. */
export function defaultFileLimits(contextWindow: number | undefined): FileLimits {
  const found = DEFAULTS_BY_WINDOW.find(({ upTo }) => contextWindow !== undefined && contextWindow <= upTo)
  return found === undefined ? DEFAULTS : { maxFilesOpen: found.maxFilesOpen, windowChars: found.windowChars }
}

/** The limits of an agent by its row alone, so that whoever compiles its prompt comes to the same. */
export function fileLimitsOf(agent: StoredFileLimits): FileLimits {
  return {
    maxFilesOpen: agent.max_files_open ?? DEFAULTS.maxFilesOpen,
    windowChars: agent.per_file_view_window_char_limit ?? DEFAULTS.windowChars,
  }
}
