import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import type { AgentFilter } from '#store/agents/agent-reader.ts'

/** Filters of the list of agents. */
export const agentFilterParameters = {
  name: Type.Optional(Type.String({ description: 'The exact name' })),
  query_text: Type.Optional(Type.String({ description: 'Part of the name, in any case' })),
  tags: Type.Optional(Type.Array(Type.String())),
  match_all_tags: Type.Boolean({ default: false }),
  identity_id: Type.Optional(IdSchema('identity')),
  identifier_keys: Type.Optional(Type.Array(Type.String())),
  project_id: Type.Optional(Type.String()),
  template_id: Type.Optional(Type.String()),
  base_template_id: Type.Optional(Type.String()),
  created_by_id: Type.Optional(Type.String()),
  last_stop_reason: Type.Optional(Type.String()),
  show_hidden_agents: Type.Boolean({ default: false }),
}
const AgentFilterQuery = Type.Object(agentFilterParameters)
export type AgentFilterQuery = Static<typeof AgentFilterQuery>

/** The store's filter of validated query parameters. */
export function toAgentFilter(query: AgentFilterQuery): AgentFilter {
  return {
    name: query.name,
    queryText: query.query_text || undefined,
    tags: query.tags,
    matchesAllTags: query.match_all_tags,
    identityId: query.identity_id,
    identifierKeys: query.identifier_keys,
    projectId: query.project_id,
    templateId: query.template_id,
    baseTemplateId: query.base_template_id,
    createdById: query.created_by_id,
    lastStopReason: query.last_stop_reason,
    includesHidden: query.show_hidden_agents,
  }
}
