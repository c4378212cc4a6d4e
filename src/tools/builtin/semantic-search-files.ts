import { type FoundFilePassage, searchFilePassages } from '#memory/files/search-file-passages.ts'
import { splitLines } from '#memory/files/split-lines.ts'
import type { Relevance } from '#memory/search/relevance.ts'
import { listAgentFileStates } from '#store/agents/agent-file-reader.ts'
import { type BuiltinTool, failure, success } from '#tools/tool.ts'
import { searchToolsOf } from './search-tools-of.ts'

const DEFAULT_LIMIT = 5
const MAX_LIMIT = 50
/** Lines of a passage that are shown. */
const MAX_LINES = 20
const RULE = '='.repeat(80)

/** Lines before the best one that are shown. */
const LEAD_LINES = 3

/** The beginnings of the words of a query, by which their inflections are seen too. */
const stemsOf = (query: string): string[] =>
  (query.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).map((word) => word.slice(0, Math.max(3, word.length - 3)))

/** Where to begin to show a passage that is too long to be shown whole: shortly before the line with most of the words. */
function firstShown(lines: readonly string[], stems: readonly string[]): number {
  const scores = lines.map((line) => {
    const text = line.toLowerCase()
    return stems.filter((stem) => text.includes(stem)).length
  })
  const best = scores.indexOf(scores.reduce((highest, score) => Math.max(highest, score), 0))
  return Math.max(Math.min(best - LEAD_LINES, lines.length - MAX_LINES), 0)
}

/** Its places by either signal; a passage that has neither was found by parts of words. */
function whyFound(relevance: Relevance | null): string {
  const { ftsRank = null, vectorRank = null } = relevance ?? {}
  if (ftsRank === null && vectorRank === null) return 'by parts of words'
  const reasons = [
    ...(ftsRank === null ? [] : [`by words #${ftsRank}`]),
    ...(vectorRank === null ? [] : [`by meaning #${vectorRank}`]),
  ]
  return reasons.join(', ')
}

function renderPassage(passage: FoundFilePassage, stems: readonly string[]): string {
  const { file_name, position, start_line, text, relevance } = passage
  const lines = splitLines(text)
  const first = firstShown(lines, stems)
  const shown = lines.slice(first, first + MAX_LINES)
  return [
    `=== ${file_name} (passage #${position}) === ${whyFound(relevance)}`,
    ...shown.map((line, index) => `${start_line + first + index}: ${line}`),
    ...(lines.length > MAX_LINES ? [`... (${lines.length - MAX_LINES} more lines in this passage)`] : []),
  ].join('\n')
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
  async execute(args, context) {
    const { db, organizationId, agentId } = context
    const query = String(args.query)
    if (query.trim() === '') return failure('query is empty.')
    const attached = await listAgentFileStates(db, organizationId, agentId)
    if (attached.length === 0) return failure('No files are currently attached to search')
    const limit = Math.min(Number(args.limit ?? DEFAULT_LIMIT), MAX_LIMIT)
    const found = await searchFilePassages(searchToolsOf(context), { organizationId, agentId }, query, limit)
    if (found.length === 0) return success(`No semantic matches found for query: '${query}'`)
    const fileCount = new Set(found.map((passage) => passage.file_id)).size
    const header = `Found ${found.length} semantic matches in ${fileCount} files for query: '${query}'`
    const stems = stemsOf(query)
    return success([header, RULE, ...found.map((passage) => renderPassage(passage, stems))].join('\n\n'))
  },
}
