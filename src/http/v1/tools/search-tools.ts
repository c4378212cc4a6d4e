import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { parseSearchQuery } from '#memory/parse-search-query.ts'
import { invalidArgument } from '#platform/errors.ts'
import * as reader from '#store/tools/tool-reader.ts'
import { restoreBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { presentTool } from './present-tool.ts'
import { checkToolTypes } from './to-tool-filter.ts'
import { ToolSchema } from './tool-schema.ts'

/** Of reciprocal rank fusion, as the other searches of this server and V1 have it. */
const RANK_OFFSET = 60

const SearchToolsSchema = Type.Object({
  query: Type.Optional(
    Nullable(Type.String({ description: 'Words, "phrases", -excluded; all tools, newest first, without' })),
  ),
  search_mode: StringEnum(['vector', 'fts', 'hybrid'], { default: 'hybrid' }),
  tool_types: Type.Optional(Nullable(Type.Array(Type.String()))),
  tags: Type.Optional(Nullable(Type.Array(Type.String(), { description: 'At least one of them' }))),
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 50 }),
})

const ToolSearchResult = Type.Object({
  tool: ToolSchema,
  embedded_text: Type.Null(),
  fts_rank: Nullable(Type.Integer()),
  vector_rank: Type.Null(),
  combined_score: Type.Number(),
})

export function searchTools(app: App, context: Context): void {
  app.post(
    '/v1/tools/search',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'search_tools',
        tags: ['tools'],
        summary: 'Find tools by the words of their names, descriptions and tags',
        body: SearchToolsSchema,
        response: { 200: Type.Array(ToolSearchResult) },
      },
    },
    async ({ actor, body }) => {
      if (body.search_mode === 'vector') {
        throw invalidArgument(
          'INVALID_ARGUMENT: search_mode: this version finds tools by words, not by vectors. Use fts, or hybrid, which is the same here.',
        )
      }
      const { terms, excluded } = parseSearchQuery(body.query ?? '')
      // a text without a word in it finds nothing, no text at all finds everything
      if (terms.length === 0 && (body.query ?? '').trim() !== '' && excluded.length === 0) return []
      const types = body.tool_types?.length ? checkToolTypes(body.tool_types) : undefined
      const tags = body.tags?.length ? body.tags : undefined
      await restoreBuiltinTools(context.db, actor.organizationId)
      const search = { terms, excluded, types, tags, limit: body.limit }
      const rows = await reader.searchTools(context.db, actor.organizationId, search)
      return rows.map((row, index) => presentResult(presentTool(row), terms.length === 0 ? null : index + 1))
    },
  )
}

function presentResult(tool: ReturnType<typeof presentTool>, rank: number | null) {
  const combined_score = rank === null ? 0 : 1 / (RANK_OFFSET + rank)
  return { tool, embedded_text: null, fts_rank: rank, vector_rank: null, combined_score }
}
