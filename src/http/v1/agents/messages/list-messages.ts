import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { IdSchema } from '#http/wire/ids.ts'
import { MESSAGE_TYPES, MessageListSchema } from '#http/wire/message-schema.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { presentMessages, voiceOf } from '#http/wire/present-message.ts'
import { notFound } from '#platform/errors.ts'
import { requireAgent } from '#store/agents/require-agent.ts'
import { findMessageSeq, listAgentMessages } from '#store/messages/message-reader.ts'

export function listMessages(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/messages',
    {
      config: { permission: 'messages:read' },
      schema: {
        operationId: 'list_messages',
        tags: ['agents'],
        summary:
          'List messages of an agent: `after` means newer, `before` older, and the answer is always oldest first',
        params: Type.Object({ agent_id: IdSchema('agent') }),
        querystring: Type.Object({
          ...pagingParameters({ limit: 100 }),
          conversation_id: Type.Optional(
            Type.String({ description: 'A conversation, or `default`; all threads of the agent when left out' }),
          ),
          group_id: Type.Optional(Type.String()),
          use_assistant_message: Type.Optional(Type.Boolean()),
          assistant_message_tool_name: Type.Optional(Type.String()),
          assistant_message_tool_kwarg: Type.Optional(Type.String()),
          include_err: Type.Optional(Type.Boolean()),
          include_return_message_types: Type.Optional(Type.Array(StringEnum(MESSAGE_TYPES))),
        }),
        response: { 200: MessageListSchema },
      },
    },
    async ({ actor, params, query }) => {
      const { db } = context
      const { organizationId } = actor
      const { agent_id } = params
      const page = toPageRequest(query)
      const seqOf = async (cursor: string | undefined): Promise<number | undefined> => {
        if (cursor === undefined) return undefined
        const seq = await findMessageSeq(db, organizationId, agent_id, cursor)
        if (seq === undefined) throw notFound(`Message ${cursor} was not found in the messages of ${agent_id}.`)
        return seq
      }
      const messages = await listAgentMessages(db, {
        organizationId,
        agentId: agent_id,
        conversationId: query.conversation_id === 'default' ? null : query.conversation_id,
        afterSeq: await seqOf(page.after),
        beforeSeq: await seqOf(page.before),
        limit: page.limit,
        order: page.order,
        hiddenTool: voiceOf(query)?.tool ?? null,
      })
      if (messages.length === 0) await requireAgent(db, organizationId, agent_id)
      return presentMessages(messages, query)
    },
  )
}
