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
import { findThreadId, type ThreadId } from '#store/conversations/conversation-reader.ts'
import type { Queryable } from '#store/db.ts'
import { findMessageSeq, listAgentMessages } from '#store/messages/message-reader.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { listThreadMessages, type MessageRange, SYSTEM_MESSAGE_SEQ } from '#store/messages/thread-message-reader.ts'

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
      const thread = await threadOf(db, organizationId, agent_id, query.conversation_id)
      const seqOf = async (cursor: string | undefined): Promise<number | undefined> => {
        if (cursor === undefined) return undefined
        const seq = await findMessageSeq(db, organizationId, agent_id, cursor)
        if (seq === undefined) throw notFound(`Message ${cursor} was not found in the messages of ${agent_id}.`)
        return thread !== 'all' && cursor === thread?.system_message_id ? SYSTEM_MESSAGE_SEQ : seq
      }
      const range = {
        afterSeq: await seqOf(page.after),
        beforeSeq: await seqOf(page.before),
        limit: page.limit,
        order: page.order,
        types: query.include_return_message_types,
        groupId: query.group_id || undefined,
        hiddenTool: voiceOf(query)?.tool,
      }
      const messages = await listOf(db, organizationId, agent_id, thread, range)
      if (messages.length === 0) await requireAgent(db, organizationId, agent_id)
      return presentMessages(messages, query)
    },
  )
}

/** The thread that `conversation_id` means; undefined where the agent has no such conversation. */
async function threadOf(
  db: Queryable,
  organizationId: string,
  agentId: string,
  conversationId: string | undefined,
): Promise<ThreadId | 'all' | undefined> {
  if (conversationId === undefined) return 'all'
  if (conversationId === 'default') return findThreadId(db, organizationId, { agentId })
  const thread = await findThreadId(db, organizationId, { conversationId })
  return thread?.agent_id === agentId ? thread : undefined
}

/** Oldest first. */
async function listOf(
  db: Queryable,
  organizationId: string,
  agentId: string,
  thread: ThreadId | 'all' | undefined,
  range: MessageRange,
): Promise<MessageRow[]> {
  if (thread === undefined) return []
  if (thread === 'all') return listAgentMessages(db, { organizationId, agentId, ...range })
  const messages = await listThreadMessages(db, organizationId, thread, range)
  return range.order === 'desc' ? messages.reverse() : messages
}
