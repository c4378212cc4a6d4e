import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { invalidArgument } from '#platform/errors.ts'
import { ConversationToExport, FILE_CONTENT_TYPE, FileText, toConversationId } from './agent-file/export-schema.ts'
import { writeAgentFile } from './agent-file/write-agent-file.ts'
import { AgentId } from './agent-schema.ts'

const Query = Type.Object({
  conversation_id: Type.Optional(ConversationToExport),
  scrub_messages: Type.Boolean({ default: false, description: 'Without any messages' }),
  scrub_archives: Type.Boolean({ default: false, description: 'Without the passages of its archive' }),
  max_steps: Type.Optional(Type.Integer({ deprecated: true, description: 'Of the older format; has no meaning' })),
  use_legacy_format: Type.Boolean({
    default: false,
    deprecated: true,
    description: 'Refused: it is read, not written',
  }),
})

export function exportAgent(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/export',
    {
      config: { permission: 'agents:read', alsoNeeds: 'messages:read' },
      schema: {
        operationId: 'export_agent',
        tags: ['agents'],
        summary: 'The agent as an agent file: its blocks, tools, folders, archive and the messages in context',
        params: AgentId,
        querystring: Query,
        response: { 200: FileText },
      },
    },
    async ({ actor, params, query }, reply) => {
      if (query.use_legacy_format) {
        throw invalidArgument(
          'INVALID_ARGUMENT: Legacy format is not supported: agents are exported in the format of today. Leave use_legacy_format out.',
        )
      }
      const text = await writeAgentFile(context, {
        organizationId: actor.organizationId,
        agentId: params.agent_id,
        conversationId: toConversationId(query.conversation_id),
        withoutMessages: query.scrub_messages,
        withoutArchives: query.scrub_archives,
        // a token is for its agent alone
        withoutFolders: actor.access !== undefined,
        skills: [],
      })
      return reply.type(FILE_CONTENT_TYPE).send(text)
    },
  )
}
