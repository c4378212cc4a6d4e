import { attachToolRows, detachToolRow } from '#store/agents/agent-tool-writer.ts'
import { lockAgent, updateAgent } from '#store/agents/agent-writer.ts'
import { agentNotFound, requireAgent } from '#store/agents/require-agent.ts'
import type { Db } from '#store/db.ts'
import type { AgentAuthor } from './create-agent.ts'
import { normalizeToolRules } from './normalize-tool-rules.ts'
import { approvalRulesOf, resolveTools } from './resolve-tools.ts'

/**
 * Attaches a tool, with the rule that it needs an approval where the tool says so; does nothing where it is attached
 * already. Throws not_found (agent, tool).
 */
export async function attachTool(db: Db, author: AgentAuthor, agentId: string, toolId: string): Promise<void> {
  const { organizationId } = author
  const tools = await resolveTools(db, organizationId, [], [toolId])
  await db.transaction(async (tx) => {
    const agent = await lockAgent(tx, organizationId, agentId)
    if (agent === undefined) throw agentNotFound(agentId)
    await attachToolRows(tx, organizationId, agentId, [toolId])
    const rules = approvalRulesOf(tools)
    if (rules.length === 0) return
    const tool_rules = normalizeToolRules([...agent.tool_rules, ...rules])
    await updateAgent(tx, organizationId, agentId, { tool_rules }, author.userId)
  })
}

/** Does nothing where the tool is not attached. Throws not_found for an unknown agent. */
export async function detachTool(db: Db, organizationId: string, agentId: string, toolId: string): Promise<void> {
  await requireAgent(db, organizationId, agentId)
  await detachToolRow(db, organizationId, agentId, toolId)
}

/** Sets whether a tool of this name waits for a person's approval. Throws not_found for an unknown agent. */
export async function setToolApproval(
  db: Db,
  author: AgentAuthor,
  agentId: string,
  approval: { toolName: string; isRequired: boolean },
): Promise<void> {
  const { organizationId } = author
  await db.transaction(async (tx) => {
    const agent = await lockAgent(tx, organizationId, agentId)
    if (agent === undefined) throw agentNotFound(agentId)
    const others = agent.tool_rules.filter(
      (rule) => rule.type !== 'requires_approval' || rule.tool_name !== approval.toolName,
    )
    const wanted = approval.isRequired ? [{ type: 'requires_approval', tool_name: approval.toolName }] : []
    const tool_rules = normalizeToolRules([...others, ...wanted])
    await updateAgent(tx, organizationId, agentId, { tool_rules }, author.userId)
  })
}
