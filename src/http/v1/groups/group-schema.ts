import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { Nullable } from '#http/wire/nullable.ts'

export const GroupId = Type.Object({ group_id: IdSchema('group') })

const NullableString = Nullable(Type.String())
const NullableInteger = Nullable(Type.Integer())

export const GroupSchema = Type.Object({
  id: Type.String(),
  manager_type: Type.String(),
  agent_ids: Type.Array(Type.String()),
  description: Type.String(),
  project_id: NullableString,
  template_id: NullableString,
  base_template_id: NullableString,
  deployment_id: NullableString,
  shared_block_ids: Type.Array(Type.String()),
  manager_agent_id: NullableString,
  termination_token: NullableString,
  max_turns: NullableInteger,
  sleeptime_agent_frequency: NullableInteger,
  turns_counter: NullableInteger,
  last_processed_message_id: NullableString,
  max_message_buffer_length: NullableInteger,
  min_message_buffer_length: NullableInteger,
  hidden: Nullable(Type.Boolean()),
})
export type GroupWire = Static<typeof GroupSchema>

const optional = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Nullable(schema))

const INT32_MAX = 2_147_483_647
const Count = Type.Integer({ minimum: 1, maximum: INT32_MAX })
const ManagerAgent = optional(IdSchema('agent'))

/** V1 takes the type from its default where none is sent, which can only be round_robin. */
const ManagerConfigSchema = Type.Union([
  Type.Object({
    manager_type: Type.Literal('dynamic'),
    manager_agent_id: ManagerAgent,
    termination_token: optional(Type.String({ minLength: 1, maxLength: 200 })),
    max_turns: optional(Count),
  }),
  Type.Object({ manager_type: Type.Literal('supervisor'), manager_agent_id: ManagerAgent }),
  Type.Object({
    manager_type: Type.Literal('sleeptime'),
    manager_agent_id: ManagerAgent,
    sleeptime_agent_frequency: optional(Count),
  }),
  Type.Object({
    manager_type: Type.Literal('voice_sleeptime'),
    manager_agent_id: ManagerAgent,
    max_message_buffer_length: optional(Count),
    min_message_buffer_length: optional(Count),
  }),
  Type.Object({ manager_type: Type.Literal('round_robin'), max_turns: optional(Count) }),
])

export const CreateGroupSchema = Type.Object({
  agent_ids: Type.Array(IdSchema('agent'), { maxItems: 100 }),
  description: Type.String(),
  manager_config: optional(ManagerConfigSchema),
  project_id: optional(Type.String()),
  shared_block_ids: optional(Type.Array(IdSchema('block'), { maxItems: 100 })),
  hidden: optional(Type.Boolean()),
})

export const UpdateGroupSchema = Type.Object({
  agent_ids: optional(Type.Array(IdSchema('agent'), { maxItems: 100 })),
  description: optional(Type.String()),
  manager_config: optional(ManagerConfigSchema),
  project_id: optional(Type.String()),
  shared_block_ids: optional(Type.Array(IdSchema('block'), { maxItems: 100 })),
})
