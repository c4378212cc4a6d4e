import { type Queryable, statement } from '#store/db.ts'

interface AgentRules {
  id: string
  tool_rules: Record<string, unknown>[]
}

const LOCK_RULES = statement(
  'lock-rules-of-tool',
  `select a.id, a.tool_rules from agents as a
   where a.organization_id = $1 and a.tool_rules <> '[]'
     and a.id in (select at.agent_id from agent_tools as at where at.organization_id = $1 and at.tool_id = $2)
   order by a.id for no key update`,
)
const SAVE_RULES = statement(
  'save-rules-of-agents',
  `update agents as a set tool_rules = n.tool_rules, updated_at = now()
   from jsonb_to_recordset($2::jsonb) as n (id text, tool_rules jsonb)
   where a.organization_id = $1 and a.id = n.id`,
)

/**
 * Rewrites the rules of the agents that have a tool with `rename`, which gives a rule with the tool's new name: rules go by names, and a
 * rule that a tool needs an approval must not be lost when it gets another.
 */
export async function renameToolInRules(
  tx: Queryable,
  organizationId: string,
  toolId: string,
  rename: (rule: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  const agents = await tx.query<AgentRules>(LOCK_RULES, [organizationId, toolId])
  const changed = agents.map(({ id, tool_rules }) => ({ id, tool_rules: tool_rules.map(rename) }))
  if (changed.length > 0) await tx.query(SAVE_RULES, [organizationId, JSON.stringify(changed)])
}
