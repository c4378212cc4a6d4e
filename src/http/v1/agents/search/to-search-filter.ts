import { type AgentFilterQuery, toAgentFilter } from '#http/v1/agents/agent-filter.ts'
import { invalidArgument } from '#platform/errors.ts'
import type { AgentFilter } from '#store/agents/agent-reader.ts'
import type { Conditions } from './search-schema.ts'

type Query = Partial<AgentFilterQuery>

/** The store's filter of a search; undefined where nothing can match. Throws invalid_argument for what is not to be searched. */
export function toSearchFilter(conditions: Conditions, projectId: string | undefined): AgentFilter | undefined {
  const filters: AgentFilter[] = []
  const ids: string[] = []
  for (const condition of conditions) {
    if (condition.field === 'agentId') {
      ids.push(condition.value)
      continue
    }
    const filter = toAgentFilter({ match_all_tags: true, show_hidden_agents: true, ...toQuery(condition) })
    if (filter === undefined) return undefined
    filters.push(filter)
  }
  const [id] = ids
  if (ids.some((other) => other !== id)) return undefined
  return { projectId, id, and: filters }
}

/** The condition in the words of the list of agents. */
function toQuery(condition: Exclude<Conditions[number], { field: 'agentId' }>): Query {
  switch (condition.field) {
    case 'name':
      return condition.operator === 'eq' ? { name: condition.value } : { query_text: condition.value }
    case 'tags':
      return { tags: condition.value }
    case 'identity':
      return condition.value.startsWith('identity-')
        ? { identity_id: condition.value }
        : { identifier_keys: [condition.value] }
    default:
      throw invalidArgument(
        `INVALID_ARGUMENT: search by ${condition.field} is not available in this version. List the agents of a template with GET /v1/agents?base_template_id=…`,
      )
  }
}
