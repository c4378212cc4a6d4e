import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import type { VectorScope } from '#store/embeddings/nearest.ts'
import type { MessageRole } from './message-row.ts'
import { inConversation } from './placed-message.ts'

/** Which messages are searched. Every condition that is given must hold. */
export interface MessageScope {
  organizationId: string
  agentId?: string | undefined
  /** `default` means the default conversations. */
  conversationId?: string | undefined
  /** Of the agent. */
  projectId?: string | undefined
  /** Of the agent. */
  templateId?: string | undefined
  roles?: readonly (MessageRole | string)[] | undefined
  /** Both inclusive. */
  start?: Date | undefined
  end?: Date | undefined
  /** Not what this run was told and has said, nor anything later in its conversation. */
  beforeRun?: { runId: string; conversationId: string } | undefined
}

const MAX_SEQ = sql.raw('9223372036854775807')

/** Conditions on messages by this alias. */
export function inMessageScope(scope: MessageScope, alias: string): RawBuilder<unknown> {
  const { organizationId, agentId, conversationId, roles, start, end } = scope
  const column = (name: string) => sql.ref(`${alias}.${name}`)
  return allOf(
    sql`${column('organization_id')} = ${organizationId}`,
    sql`${column('role')} <> 'note'`,
    agentId !== undefined && sql`${column('agent_id')} = ${agentId}`,
    conversationId !== undefined &&
      inConversation(organizationId, conversationId, column('conversation_id'), column('seq')),
    ofAgents(scope, column('agent_id')),
    roles !== undefined && sql`${column('role')} = any(${roles}::text[])`,
    start !== undefined && sql`${column('created_at')} >= ${start.toISOString()}::timestamptz`,
    end !== undefined && sql`${column('created_at')} <= ${end.toISOString()}::timestamptz`,
    isBeforeRun(scope, column('conversation_id'), column('seq')),
  )
}

/** The same scope for vectors. */
export function messageVectorScope(scope: MessageScope): VectorScope {
  const { organizationId, agentId, conversationId, roles, start, end } = scope
  return {
    organizationId,
    kind: 'message',
    scopeIds: agentId === undefined ? undefined : [agentId],
    roles,
    start,
    end,
    where: allOf(
      conversationId !== undefined &&
        inConversation(organizationId, conversationId, sql.ref('e.part_id'), sql.ref('e.seq')),
      ofAgents(scope, sql.ref('e.scope_id')),
      isBeforeRun(scope, sql.ref('e.part_id'), sql.ref('e.seq')),
    ),
  }
}

function isBeforeRun(
  { organizationId, beforeRun }: MessageScope,
  conversation: RawBuilder<unknown>,
  seq: RawBuilder<unknown>,
) {
  if (beforeRun === undefined) return undefined
  return sql`(${conversation} <> ${beforeRun.conversationId} or ${seq} < (select coalesce(min(own.seq), ${MAX_SEQ})
    from messages as own where own.organization_id = ${organizationId} and own.run_id = ${beforeRun.runId}))`
}

function ofAgents({ organizationId, projectId, templateId }: MessageScope, agent: RawBuilder<unknown>) {
  if (projectId === undefined && templateId === undefined) return undefined
  return sql`${agent} in (select a.id from agents as a where ${allOf(
    sql`a.organization_id = ${organizationId}`,
    projectId !== undefined && sql`a.project_id = ${projectId}`,
    templateId !== undefined && sql`a.template_id = ${templateId}`,
  )})`
}
