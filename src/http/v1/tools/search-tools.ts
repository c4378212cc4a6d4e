import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable, StringEnum } from '#http/wire/nullable.ts'
import { restoreBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import * as domain from '#tools/search-tools.ts'
import { presentTool } from './present-tool.ts'
import { checkToolTypes } from './to-tool-filter.ts'
import { ToolSchema } from './tool-schema.ts'

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
  vector_rank: Nullable(Type.Integer()),
  combined_score: Type.Number({ description: 'What they are ordered by' }),
})

export function searchTools(app: App, context: Context): void {
  app.post(
    '/v1/tools/search',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'search_tools',
        tags: ['tools'],
        summary: 'Find tools by their names, descriptions and tags, by words and by what they are for; the best first',
        body: SearchToolsSchema,
        response: { 200: Type.Array(ToolSearchResult) },
      },
    },
    async ({ actor, body }) => {
      const types = body.tool_types?.length ? checkToolTypes(body.tool_types) : undefined
      const tags = body.tags?.length ? body.tags : undefined
      await restoreBuiltinTools(context.db, actor.organizationId)
      const found = await domain.searchTools(context, {
        organizationId: actor.organizationId,
        query: body.query ?? '',
        mode: body.search_mode,
        types,
        tags,
        limit: body.limit,
      })
      return found.map(({ tool, relevance }) => ({
        tool: presentTool(tool),
        embedded_text: null,
        fts_rank: relevance?.ftsRank ?? null,
        vector_rank: relevance?.vectorRank ?? null,
        combined_score: relevance?.score ?? 0,
      }))
    },
  )
}
