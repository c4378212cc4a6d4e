import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import { ExpectedVersion } from '#http/wire/versions.ts'
import { DEFAULT_BLOCK_LIMIT, MAX_BLOCK_LABEL_LENGTH } from '#memory/block-rules.ts'

export const BlockId = Type.Object({ block_id: IdSchema('block') })

/** A block as sent; `limit` is the stored `char_limit`. */
export const BlockSchema = Type.Object({
  value: Type.String(),
  limit: Type.Integer({ description: 'Characters that the value may have' }),
  project_id: Nullable(Type.String()),
  template_name: Nullable(Type.String()),
  is_template: Type.Boolean(),
  template_id: Nullable(Type.String()),
  base_template_id: Nullable(Type.String()),
  deployment_id: Nullable(Type.String()),
  entity_id: Nullable(Type.String()),
  preserve_on_migration: Nullable(Type.Boolean()),
  label: Nullable(Type.String()),
  read_only: Type.Boolean({ description: 'Agents cannot edit it' }),
  description: Nullable(Type.String()),
  metadata: Nullable(AnyObject),
  hidden: Nullable(Type.Boolean()),
  id: Type.String(),
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  tags: Nullable(Type.Array(Type.String())),
})
export type BlockWire = Static<typeof BlockSchema>

const optionalFields = {
  limit: Type.Optional(
    Nullable(Type.Integer({ description: `Characters that the value may have; ${DEFAULT_BLOCK_LIMIT} by default` })),
  ),
  project_id: Type.Optional(Nullable(Type.String())),
  template_name: Type.Optional(Nullable(Type.String())),
  is_template: Type.Optional(Nullable(Type.Boolean())),
  template_id: Type.Optional(Nullable(Type.String())),
  base_template_id: Type.Optional(Nullable(Type.String())),
  deployment_id: Type.Optional(Nullable(Type.String())),
  entity_id: Type.Optional(Nullable(Type.String())),
  preserve_on_migration: Type.Optional(Nullable(Type.Boolean())),
  read_only: Type.Optional(Nullable(Type.Boolean({ description: 'Agents cannot edit it' }))),
  description: Type.Optional(Nullable(Type.String({ description: 'Tells the agent what the block is for' }))),
  metadata: Type.Optional(Nullable(AnyObject)),
  hidden: Type.Optional(Nullable(Type.Boolean({ description: 'Left out of lists' }))),
  tags: Type.Optional(Nullable(Type.Array(Type.String({ maxLength: 200 })))),
}

/** What a client sends to make a block, also within the request that makes an agent. */
export const CreateBlockSchema = Type.Object({
  label: Type.String({ description: 'Names the block in the prompt and in memory tools' }),
  value: Type.String(),
  ...optionalFields,
})

/** What a client sends to change a block: a field that is left out stays, an explicit null clears it. */
export const UpdateBlockSchema = Type.Object({
  label: Type.Optional(Nullable(Type.String())),
  value: Type.Optional(Nullable(Type.String())),
  ...optionalFields,
  expected_version: ExpectedVersion,
})

const SearchText = Type.Optional(Type.String({ minLength: 1, maxLength: 200 }))
const Label = Type.Optional(Type.String({ minLength: 1, maxLength: MAX_BLOCK_LABEL_LENGTH }))

/** Negative ones make sense to compare with: `gt=-1` is every block. */
const AgentCount = Type.Integer({ minimum: -1, maximum: 2_147_483_647 })

/** Filters that lists and counts of blocks share. */
export const blockFilterParameters = {
  label: Label,
  templates_only: Type.Boolean({ default: false }),
  name: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Name of the template' })),
  identity_id: Type.Optional(IdSchema('identity')),
  identifier_keys: Type.Optional(Type.Array(Type.String())),
  project_id: Type.Optional(Type.String()),
  tags: Type.Optional(Type.Array(Type.String())),
  match_all_tags: Type.Boolean({ default: false }),
  label_search: Label,
  description_search: SearchText,
  value_search: SearchText,
  connected_to_agents_count_gt: Type.Optional(AgentCount),
  connected_to_agents_count_lt: Type.Optional(AgentCount),
  connected_to_agents_count_eq: Type.Optional(Type.Array(AgentCount)),
  show_hidden_blocks: Type.Boolean({ default: false }),
}

const BlockFilterQuery = Type.Object(blockFilterParameters)
export type BlockFilterQuery = Static<typeof BlockFilterQuery>
