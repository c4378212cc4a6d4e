import { searchMessages } from '#memory/search-messages.ts'
import { formatIsoTime, formatTimeAgo } from '#platform/time-format.ts'
import { type BuiltinTool, failure, success } from '#tools/tool.ts'
import { parseDate } from './parse-date.ts'
import { searchToolsOf } from './search-tools-of.ts'
import { toldRelevance } from './told-relevance.ts'

const ROLES = ['assistant', 'user', 'tool']
const DEFAULT_LIMIT = 5
const MAX_LIMIT = 50

export const conversationSearch: BuiltinTool = {
  name: 'conversation_search',
  description:
    'Search everything that was ever said in your conversations, also what has left your context window. Say what you look for, in any words, and/or give a range of dates.',
  toolType: 'letta_core',
  durability: 'read',
  parameters: {
    type: 'object',
    properties: {
      query: { type: 'string', description: 'What to look for. Leave it out to list messages of a range of dates.' },
      roles: {
        type: 'array',
        items: { type: 'string', enum: ROLES },
        description: 'Whose messages to search; everybody by default.',
      },
      limit: { type: 'integer', description: `How many results to give, ${DEFAULT_LIMIT} by default.` },
      start_date: { type: 'string', description: 'Only messages from this ISO 8601 date or time on.' },
      end_date: { type: 'string', description: 'Only messages up to this ISO 8601 date or time, inclusive.' },
    },
    required: [],
  },
  async execute(args, context) {
    const start = parseDate(args.start_date)
    const end = parseDate(args.end_date, true)
    if (start === 'invalid' || end === 'invalid') {
      return failure('start_date and end_date must be ISO 8601, for example 2026-01-31 or 2026-01-31T18:00:00Z.')
    }
    const limit = Math.min(Math.max(Number(args.limit ?? DEFAULT_LIMIT) || DEFAULT_LIMIT, 1), MAX_LIMIT)
    const found = await searchMessages(searchToolsOf(context), {
      organizationId: context.organizationId,
      agentId: context.agentId,
      query: typeof args.query === 'string' ? args.query : '',
      roles: Array.isArray(args.roles) && args.roles.length > 0 ? args.roles.map(String) : ROLES,
      limit,
      start,
      end,
      // the question that is being answered would be the best answer to itself
      beforeRun: { runId: context.runId, conversationId: context.conversationId },
    })
    if (found.length === 0) return success(JSON.stringify({ message: 'No results found.', results: [] }))
    const now = Date.now()
    return success(
      JSON.stringify({
        message: `Showing ${found.length} results:`,
        results: found.map((message) => ({
          timestamp: formatIsoTime(message.created_at, context.timezone),
          time_ago: formatTimeAgo(now - message.created_at.getTime()),
          role: message.role,
          ...toldRelevance(message.relevance),
          content: message.text,
        })),
      }),
    )
  },
}
