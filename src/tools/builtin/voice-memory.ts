import { searchMessages } from '#memory/search-messages.ts'
import { formatIsoTime } from '#platform/time-format.ts'
import { type BuiltinTool, failure, success } from '#tools/tool.ts'
import { editBlock } from './block-edit.ts'
import { remember } from './remember.ts'
import { searchToolsOf } from './search-tools-of.ts'

/** Tools of the agent that keeps the memory of a voice agent in order while that one talks. */
const VOICE = 'letta_voice_sleeptime_core'
const MAX_CHUNKS = 50
const MAX_FOUND = 20
const MINUTE_MS = 60_000
/** The block that a voice agent knows its user by. */
const USER_BLOCK = 'human'

interface Chunk {
  start_index: number
  end_index: number
  context: string
}

export const storeMemories: BuiltinTool = {
  name: 'store_memories',
  description:
    'Store parts of the conversation that you were just given in archival memory. Each part is a range of its lines, with a few words that make it understandable on its own.',
  toolType: VOICE,
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      chunks: {
        type: 'array',
        maxItems: MAX_CHUNKS,
        items: {
          type: 'object',
          properties: {
            start_index: { type: 'integer', description: 'The first line, counted from 0.' },
            end_index: { type: 'integer', description: 'The last line.' },
            context: { type: 'string', description: 'What one must know to understand these lines later.' },
          },
          required: ['start_index', 'end_index', 'context'],
        },
        description: 'The parts to store.',
      },
    },
    required: ['chunks'],
  },
  async execute({ chunks }, context) {
    const { organizationId, agentId } = context
    const [given] = await searchMessages(searchToolsOf(context), {
      organizationId,
      agentId,
      query: '',
      roles: ['user'],
      limit: 1,
      start: undefined,
      end: undefined,
    })
    const lines = (given?.text ?? '').split('\n')
    const passages: { text: string; tags: string[] }[] = []
    for (const { start_index, end_index, context: about } of chunks as Chunk[]) {
      if (start_index < 0 || end_index < start_index || end_index >= lines.length) {
        return failure(
          `Lines ${start_index} to ${end_index} are not in the conversation: it has lines 0 to ${lines.length - 1}. Nothing was stored.`,
        )
      }
      const text = [about, ...lines.slice(start_index, end_index + 1)].join('\n')
      passages.push({ text, tags: [] })
    }
    const { effects, known } = await remember(context, passages)
    const note = known.length > 0 ? ` ${known.length} of them were there already and are not stored twice.` : ''
    return success(`Stored ${effects.length} memories.${note}`, effects)
  },
}

export const searchMemory: BuiltinTool = {
  name: 'search_memory',
  description: 'Look up what was said earlier, by words and by how long ago it was.',
  toolType: VOICE,
  durability: 'read',
  parameters: {
    type: 'object',
    properties: {
      convo_keyword_queries: {
        type: ['array', 'null'],
        items: { type: 'string' },
        maxItems: 10,
        description: 'Words to look for, each entry by itself; everything in the range of time without them.',
      },
      start_minutes_ago: { type: ['integer', 'null'], description: 'Nothing that is older than this, in minutes.' },
      end_minutes_ago: { type: ['integer', 'null'], description: 'Nothing that is younger than this, in minutes.' },
    },
    required: [],
  },
  async execute({ convo_keyword_queries, start_minutes_ago, end_minutes_ago }, context) {
    const { organizationId, agentId, timezone } = context
    const ago = (minutes: unknown) =>
      typeof minutes === 'number' ? new Date(Date.now() - minutes * MINUTE_MS) : undefined
    const queries =
      Array.isArray(convo_keyword_queries) && convo_keyword_queries.length > 0 ? convo_keyword_queries : ['']
    const results = []
    for (const query of queries.map(String)) {
      const found = await searchMessages(searchToolsOf(context), {
        organizationId,
        agentId,
        query,
        roles: ['user', 'assistant'],
        limit: MAX_FOUND,
        start: ago(start_minutes_ago),
        end: ago(end_minutes_ago),
      })
      const messages = found.map(({ created_at, role, text }) => ({
        timestamp: formatIsoTime(created_at, timezone),
        role,
        content: text,
      }))
      results.push({ query, messages })
    }
    return success(JSON.stringify(results))
  },
}

export const rethinkUserMemory: BuiltinTool = {
  name: 'rethink_user_memory',
  description: `Replace all that you know of the user, which is memory block \`${USER_BLOCK}\`, by a new text.`,
  toolType: VOICE,
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: { new_memory: { type: 'string', description: 'The new text, whole.' } },
    required: ['new_memory'],
  },
  execute: ({ new_memory }, context) => editBlock(context, USER_BLOCK, () => ({ ok: true, value: String(new_memory) })),
}

export const finishRethinkingMemory: BuiltinTool = {
  name: 'finish_rethinking_memory',
  description: 'Say that the memory is in order and nothing is left to do.',
  toolType: VOICE,
  durability: 'read',
  parameters: { type: 'object', properties: {}, required: [] },
  execute: () => success('None'),
}
