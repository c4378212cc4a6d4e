import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { ConversationToExport, FILE_CONTENT_TYPE, FileText, toConversationId } from './agent-file/export-schema.ts'
import { writeAgentFile } from './agent-file/write-agent-file.ts'
import { AgentId } from './agent-schema.ts'

const Skill = Type.Object({
  name: Type.String(),
  files: Type.Optional(
    Nullable(
      Type.Unsafe<Record<string, string>>({
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'Texts by their paths',
      }),
    ),
  ),
  source_url: Type.Optional(Nullable(Type.String())),
})

const Body = Type.Object({
  skills: Type.Optional(Type.Array(Skill, { description: 'Passed on into the file' })),
  conversation_id: Type.Optional(Nullable(ConversationToExport)),
  scrub_messages: Type.Optional(Type.Boolean({ description: 'Without any messages' })),
  scrub_archives: Type.Optional(Type.Boolean({ description: 'Without the passages of its archive' })),
})

export function exportAgentWithSkills(app: App, context: Context): void {
  app.post(
    '/v1/agents/:agent_id/export',
    {
      config: { permission: 'agents:read', alsoNeeds: 'messages:read', idempotency: 'none' },
      schema: {
        operationId: 'export_agent_with_skills',
        tags: ['agents'],
        summary: 'The agent as an agent file, with skills that the client brings',
        params: AgentId,
        body: Type.Optional(Nullable(Body)),
        response: { 200: FileText },
      },
    },
    async ({ actor, params, body }, reply) => {
      const text = await writeAgentFile(context, {
        organizationId: actor.organizationId,
        agentId: params.agent_id,
        conversationId: toConversationId(body?.conversation_id),
        withoutMessages: body?.scrub_messages ?? false,
        withoutArchives: body?.scrub_archives ?? false,
        // a token is for its agent alone
        withoutFolders: actor.access !== undefined,
        skills: body?.skills ?? [],
      })
      return reply.type(FILE_CONTENT_TYPE).send(text)
    },
  )
}
