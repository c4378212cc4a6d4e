import Type from 'typebox'
import { COMPACTION_MODES } from '#agent/context-window/compaction-settings.ts'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'
import { ModelSettingsSchema } from './model-settings-schema.ts'

const optional = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Nullable(schema))

/** How a conversation is summarised when it becomes too long for its context window. */
export const CompactionSettingsSchema = Type.Object(
  {
    model: optional(
      Type.String({
        pattern: '^[^/]+/.+',
        description: "Handle provider/model of the summariser; a cheap one of the agent's provider unless told",
      }),
    ),
    model_settings: optional(ModelSettingsSchema),
    prompt: optional(Type.String({ maxLength: 100_000, description: 'Instructions to the summariser' })),
    prompt_acknowledgement: optional(Type.Boolean()),
    clip_chars: optional(Type.Integer({ minimum: 1, description: 'Longest summary; null: no limit' })),
    mode: optional(StringEnum(COMPACTION_MODES)),
    sliding_window_percentage: optional(
      Type.Number({ exclusiveMinimum: 0, maximum: 1, description: 'Part of the context that makes room, at least' }),
    ),
  },
  { additionalProperties: true },
)

export const CompactionSettingsWire = Type.Object({
  model: Type.String(),
  model_settings: Nullable(AnyObject),
  prompt: Nullable(Type.String()),
  prompt_acknowledgement: Type.Boolean(),
  clip_chars: Nullable(Type.Integer()),
  mode: StringEnum(COMPACTION_MODES),
  sliding_window_percentage: Type.Number(),
})

export const CompactionResponse = Type.Object({
  summary: Type.String(),
  num_messages_before: Type.Integer(),
  num_messages_after: Type.Integer(),
})
