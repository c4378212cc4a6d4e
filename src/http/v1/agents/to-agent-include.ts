import type { AgentInclude } from '#store/agents/agent-reader.ts'

/** The relations that a request asks for, by either of the two parameters. */
export function toAgentInclude(query: { include?: string[]; include_relationships?: string[] }): AgentInclude {
  const wanted = new Set(query.include ?? [])
  const older = new Set(query.include_relationships ?? [])
  return {
    blocks: wanted.has('agent.blocks') || older.has('memory') || older.has('blocks'),
    tools: wanted.has('agent.tools') || older.has('tools'),
    folders: wanted.has('agent.sources') || older.has('sources'),
    identities: wanted.has('agent.identities') || older.has('identities'),
    managedGroup: wanted.has('agent.managed_group') || older.has('multi_agent_group') || older.has('managed_group'),
    pendingApproval: wanted.has('agent.pending_approval'),
    tags: wanted.has('agent.tags') || older.has('tags'),
    secrets: wanted.has('agent.secrets') || older.has('tool_exec_environment_variables'),
  }
}
