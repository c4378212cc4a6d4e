import { parseTemplateAddress } from '#agent/templates/template-name.ts'
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
    if (condition.field === 'templateName' || condition.field === 'version') {
      filters.push({ includesHidden: true, template: toTemplate(condition) })
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

/** `version` is an address such as `name:2` or `project/name:latest`. Throws not_found and invalid_argument where it is none. */
function toTemplate(condition: { field: string; value: string }): AgentFilter['template'] {
  if (condition.field === 'templateName') return { name: condition.value }
  const { project, name, version } = parseTemplateAddress(condition.value)
  if (version === 'current') {
    throw invalidArgument(
      "INVALID_ARGUMENT: search by version: no agent is of the version under work. Use a number or 'latest', such as name:2.",
    )
  }
  return { project, name, version }
}

/** The condition in the words of the list of agents. */
function toQuery(condition: Exclude<Conditions[number], { field: 'agentId' | 'version' | 'templateName' }>): Query {
  switch (condition.field) {
    case 'name':
      return condition.operator === 'eq' ? { name: condition.value } : { query_text: condition.value }
    case 'tags':
      return { tags: condition.value }
    default:
      return condition.value.startsWith('identity-')
        ? { identity_id: condition.value }
        : { identifier_keys: [condition.value] }
  }
}
