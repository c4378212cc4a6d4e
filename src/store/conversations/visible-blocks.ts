/**
 * The blocks that a conversation sees, as a relation of (block_id, attached_at): its own, and those of the agent that it has no
 * copy of. Arguments are SQL expressions.
 */
export const visibleBlocks = (organizationId: string, conversationId: string, agentId: string): string => `
  select ab.block_id, ab.attached_at from agent_blocks as ab
  where ab.organization_id = ${organizationId} and ab.agent_id = ${agentId} and not exists (
    select from conversation_blocks as own
    where own.organization_id = ${organizationId} and own.conversation_id = ${conversationId}
      and (own.replaces_block_id = ab.block_id or (own.label = ab.label and not own.is_detached)))
  union all
  select cb.block_id, cb.attached_at from conversation_blocks as cb
  where cb.organization_id = ${organizationId} and cb.conversation_id = ${conversationId} and not cb.is_detached`
