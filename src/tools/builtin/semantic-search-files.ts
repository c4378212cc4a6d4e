import { searchFilePassages } from '#memory/files/search-file-passages.ts'
import { splitLines } from '#memory/files/split-lines.ts'
import { listAgentFileStates } from '#store/agents/agent-file-reader.ts'
import type { FilePassageRow } from '#store/files/file-row.ts'
import { type BuiltinTool, failure, success } from '#tools/tool.ts'

const DEFAULT_LIMIT = 5
const MAX_LIMIT = 50
/** Lines of a passage that are shown. */
const MAX_LINES = 20
const RULE = '='.repeat(80)

function renderPassage({ file_name, position, start_line, text }: FilePassageRow): string {
  const lines = splitLines(text)
  const shown = lines.slice(0, MAX_LINES).map((line, index) => `${start_line + index}: ${line}`)
  const rest = lines.length > MAX_LINES ? [`... (${lines.length - MAX_LINES} more lines)`] : []
  return [`=== ${file_name} (passage #${position}) ===`, ...shown, ...rest].join('\n')
}

export const semanticSearchFiles: BuiltinTool = {
  name: 'semantic_search_files',
  description:
    'Find the passages of the files of your directories that fit a question or some words best, in any inflection and order.',
  toolType: 'letta_files_core',
  durability: 'read',
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', description: 'What to look for.' },
      limit: {
        type: ['integer', 'null'],
        minimum: 1,
        description: `How many passages to give, ${DEFAULT_LIMIT} by default, ${MAX_LIMIT} at most.`,
        default: DEFAULT_LIMIT,
      },
    },
    required: ['query'],
  },
  async execute(args, { db, organizationId, agentId }) {
    const query = String(args.query)
    if (query.trim() === '') return failure('query is empty.')
    const attached = await listAgentFileStates(db, organizationId, agentId)
    if (attached.length === 0) return failure('No files are currently attached to search')
    const limit = Math.min(Number(args.limit ?? DEFAULT_LIMIT), MAX_LIMIT)
    const found = await searchFilePassages(db, organizationId, agentId, query, limit)
    if (found.length === 0) return success(`No semantic matches found for query: '${query}'`)
    const fileCount = new Set(found.map((passage) => passage.file_id)).size
    const header = `Found ${found.length} semantic matches in ${fileCount} files for query: '${query}'`
    return success([header, RULE, ...found.map(renderPassage)].join('\n\n'))
  },
}
