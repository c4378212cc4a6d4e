import type { Context } from '#context.ts'
import { type AgentInclude, ALL_RELATIONS, getAgent } from '#store/agents/agent-reader.ts'
import type { AgentWire } from './agent-schema.ts'
import { presentAgent } from './present-agent.ts'
import { loadModelCatalog, type ModelCatalog } from './present-model.ts'

export const catalogOf = (context: Context, organizationId: string): Promise<ModelCatalog> =>
  loadModelCatalog(context.models, organizationId, context.config.globalMaxContextWindow)

/** Reads an agent as the wire shows it: what operations that change an agent answer. Throws not_found. */
export async function readAgent(
  context: Context,
  organizationId: string,
  agentId: string,
  include: AgentInclude = ALL_RELATIONS,
): Promise<AgentWire> {
  const agent = await getAgent(context.db, organizationId, agentId, include)
  return presentAgent(agent, await catalogOf(context, organizationId))
}
