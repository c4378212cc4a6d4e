import type { AgentInclude } from '#store/agents/agent-reader.ts'

/** The relations that a request asks for, by either of the two parameters. */
export function toAgentInclude(query: { include?: string[]; include_relationships?: string[] }): AgentInclude {
  const wanted = new Set(query.include ?? [])
  const older = new Set(query.include_relationships ?? [])
  return {
    blocks: wanted.has('agent.blocks') || older.has('memory') || older.has('blocks'),
    tools: wanted.has('agent.tools') || older.has('tools'),
    pendingApproval: wanted.has('agent.pending_approval'),
    tags: wanted.has('agent.tags') || older.has('tags'),
  }
}
