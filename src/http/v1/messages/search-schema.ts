import Type from 'typebox'
import { parseMoment } from '#http/wire/moment.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'

const MAX_RESULTS = 100

/** What both searches of messages take. */
export const searchFields = {
  search_mode: Type.Optional(
    StringEnum(['vector', 'fts', 'hybrid'], {
      default: 'hybrid',
      description:
        'By their words (fts), by what they mean (vector), or both; 503 for vector while no vectors can be had',
    }),
  ),
  agent_id: Type.Optional(Nullable(Type.String())),
  conversation_id: Type.Optional(
    Nullable(Type.String({ description: 'A conversation, or `default` for default conversations' })),
  ),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_RESULTS, default: 50 })),
  start_date: Type.Optional(Nullable(Type.String({ description: 'ISO 8601: from this time on' }))),
  end_date: Type.Optional(Nullable(Type.String({ description: 'ISO 8601: up to this time' }))),
}

interface SearchBody {
  search_mode?: 'vector' | 'fts' | 'hybrid'
  agent_id?: string | null
  conversation_id?: string | null
  limit?: number
  start_date?: string | null
  end_date?: string | null
}

/** Filters and mode of a search. Throws unprocessable for dates. */
export function toSearch(body: SearchBody) {
  return {
    mode: body.search_mode,
    agentId: body.agent_id ?? undefined,
    conversationId: body.conversation_id ?? undefined,
    limit: body.limit ?? 50,
    start: parseMoment('start_date', body.start_date),
    end: parseMoment('end_date', body.end_date, true),
  }
}
