import Type from 'typebox'
import { agentsOf } from '#agent/groups/group-rules.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { MESSAGE_TYPES, MessageListSchema } from '#http/wire/message-schema.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { presentMessages } from '#http/wire/present-message.ts'
import { notFound } from '#platform/errors.ts'
import { getGroup } from '#store/groups/group-reader.ts'
import * as reader from '#store/groups/list-group-messages.ts'
import { GroupId } from './group-schema.ts'

export function listGroupMessages(app: App, context: Context): void {
  app.get(
    '/v1/groups/:group_id/messages',
    {
      config: { permission: 'groups:read' },
      schema: {
        operationId: 'list_group_messages',
        tags: ['groups'],
        summary:
          "List messages of a group's agents: `after` means newer, `before` older, and the answer is always oldest first",
        params: GroupId,
        querystring: Type.Object({
          ...pagingParameters({ limit: 10 }),
          use_assistant_message: Type.Optional(Type.Boolean()),
          assistant_message_tool_name: Type.Optional(Type.String()),
          assistant_message_tool_kwarg: Type.Optional(Type.String()),
          include_return_message_types: Type.Optional(Type.Array(StringEnum(MESSAGE_TYPES))),
        }),
        response: { 200: MessageListSchema },
      },
    },
    async ({ actor, params, query }) => {
      const { db } = context
      const { organizationId } = actor
      const agentIds = agentsOf(await getGroup(db, organizationId, params.group_id))
      const page = toPageRequest(query)
      const seqOf = async (cursor: string | undefined): Promise<number | undefined> => {
        if (cursor === undefined) return undefined
        const seq = await reader.findGroupMessageSeq(db, organizationId, agentIds, cursor)
        if (seq === undefined) throw notFound(`Message ${cursor} was not found in the messages of ${params.group_id}.`)
        return seq
      }
      const messages = await reader.listGroupMessages(db, {
        organizationId,
        agentIds,
        afterSeq: await seqOf(page.after),
        beforeSeq: await seqOf(page.before),
        limit: page.limit,
        order: page.order,
      })
      return presentMessages(messages, { include_return_message_types: query.include_return_message_types ?? null })
    },
  )
}
