import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { AgentId } from '#http/v1/agents/agent-schema.ts'
import { Nullable, presentTime, Timestamp } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { type AgentFileRow, listAgentFiles } from '#store/agents/agent-file-reader.ts'
import { requireAgent } from '#store/agents/require-agent.ts'

const AgentFileSchema = Type.Object({
  id: Type.String(),
  file_id: Type.String(),
  file_name: Type.String(),
  folder_id: Type.String(),
  folder_name: Type.String(),
  is_open: Type.Boolean({ description: 'The agent sees it in its prompt' }),
  last_accessed_at: Nullable(Timestamp),
  visible_content: Nullable(Type.String()),
  start_line: Nullable(Type.Integer()),
  end_line: Nullable(Type.Integer()),
})

export function listFilesForAgent(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/files',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'list_files_for_agent',
        tags: ['agents'],
        summary: "List the files of an agent's folders, newest first unless asked otherwise",
        params: AgentId,
        querystring: Type.Object({
          ...pagingParameters({ limit: 100 }),
          cursor: Type.Optional(Type.String({ description: 'The older name of `after`' })),
          is_open: Type.Optional(Type.Boolean({ description: 'Only what is open, or only what is closed' })),
        }),
        response: {
          200: Type.Object({
            files: Type.Array(AgentFileSchema),
            next_cursor: Nullable(Type.String()),
            has_more: Type.Boolean(),
          }),
        },
      },
    },
    async ({ actor, params, query }) => {
      await requireAgent(context.db, actor.organizationId, params.agent_id)
      const page = toPageRequest({ ...query, after: query.after || query.cursor || '' })
      const source = { agentId: params.agent_id, isOpen: query.is_open }
      // one more than asked for tells whether there are more
      const wanted = { ...page, limit: page.limit + 1 }
      const rows = await listAgentFiles(context.db, actor.organizationId, source, wanted)
      const isBackwards = page.before !== undefined && page.after === undefined
      const hasMore = rows.length > page.limit
      const files = isBackwards ? rows.slice(-page.limit) : rows.slice(0, page.limit)
      const last = isBackwards ? files[0] : files.at(-1)
      return {
        files: files.map(presentAgentFile),
        next_cursor: hasMore ? (last?.id ?? null) : null,
        has_more: hasMore,
      }
    },
  )
}

const presentAgentFile = (row: AgentFileRow) => ({ ...row, last_accessed_at: presentTime(row.last_accessed_at) })
