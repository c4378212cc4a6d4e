import type { BlockFilter } from '#store/blocks/block-reader.ts'
import type { BlockFilterQuery } from './block-schema.ts'

/** The store's filter of validated query parameters. */
export function toBlockFilter(query: BlockFilterQuery): BlockFilter {
  return {
    label: query.label,
    templatesOnly: query.templates_only,
    templateName: query.name,
    projectId: query.project_id,
    tags: query.tags,
    matchesAllTags: query.match_all_tags,
    labelSearch: query.label_search,
    descriptionSearch: query.description_search,
    valueSearch: query.value_search,
    agentCountAbove: query.connected_to_agents_count_gt,
    agentCountBelow: query.connected_to_agents_count_lt,
    agentCountIn: query.connected_to_agents_count_eq,
    identityId: query.identity_id,
    identifierKeys: query.identifier_keys,
    includesHidden: query.show_hidden_blocks,
  }
}
