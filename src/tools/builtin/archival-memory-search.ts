import { searchPassages } from '#memory/search-passages.ts'
import { formatIsoTime } from '#platform/time-format.ts'
import { type BuiltinTool, failure, success } from '#tools/tool.ts'
import { parseDate } from './parse-date.ts'
import { searchToolsOf } from './search-tools-of.ts'
import { toldRelevance } from './told-relevance.ts'

const DEFAULT_TOP_K = 5
const MAX_TOP_K = 100

export const archivalMemorySearch: BuiltinTool = {
  name: 'archival_memory_search',
  description: 'Search your archival memory by what you look for, in any words, and optionally by tags and dates.',
  toolType: 'letta_core',
  durability: 'read',
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', description: 'What to look for.' },
      tags: { type: 'array', items: { type: 'string' }, description: 'Only entries with these tags.' },
      tag_match_mode: {
        type: 'string',
        enum: ['any', 'all'],
        description: 'Whether an entry must have any (the default) or all of the tags.',
      },
      top_k: { type: 'integer', description: `How many entries to give, ${DEFAULT_TOP_K} by default.` },
      start_datetime: { type: 'string', description: 'Only entries from this ISO 8601 date or time on.' },
      end_datetime: { type: 'string', description: 'Only entries up to this ISO 8601 date or time.' },
    },
    required: ['query'],
  },
  async execute(args, context) {
    const start = parseDate(args.start_datetime)
    const end = parseDate(args.end_datetime)
    if (start === 'invalid' || end === 'invalid') {
      return failure('start_datetime and end_datetime must be ISO 8601, for example 2026-01-31T18:00:00Z.')
    }
    const found = await searchPassages(searchToolsOf(context), {
      organizationId: context.organizationId,
      agentId: context.agentId,
      query: String(args.query),
      tags: Array.isArray(args.tags) ? args.tags.map(String) : [],
      tagMatchMode: args.tag_match_mode === 'all' ? 'all' : 'any',
      limit: Math.min(Math.max(Number(args.top_k ?? DEFAULT_TOP_K) || DEFAULT_TOP_K, 1), MAX_TOP_K),
      start,
      end,
    })
    return success(
      JSON.stringify(
        found.map((passage) => ({
          id: passage.id,
          timestamp: formatIsoTime(passage.created_at, context.timezone),
          content: passage.text,
          tags: passage.tags,
          ...toldRelevance(passage.relevance),
        })),
      ),
    )
  },
}
