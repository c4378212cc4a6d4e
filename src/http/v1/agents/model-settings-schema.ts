import Type from 'typebox'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

const optional = <Schema extends Type.TSchema>(schema: Schema) => Type.Optional(Nullable(schema))

export const ResponseFormatSchema = Type.Union([
  Type.Object({ type: StringEnum(['text', 'json_object']) }, { additionalProperties: true }),
  Type.Object({ type: Type.Literal('json_schema'), json_schema: AnyObject }, { additionalProperties: true }),
])

export const ModelSettingsSchema = Type.Object(
  {
    provider_type: optional(Type.String()),
    temperature: optional(Type.Number({ minimum: 0, maximum: 2 })),
    max_output_tokens: optional(Type.Integer({ minimum: 1 })),
    parallel_tool_calls: optional(Type.Boolean()),
    response_format: optional(ResponseFormatSchema),
    response_schema: optional(ResponseFormatSchema),
    strict: optional(Type.Boolean()),
    reasoning: optional(Type.Object({ reasoning_effort: optional(Type.String()) })),
    thinking: optional(
      Type.Object({ type: optional(Type.String()), budget_tokens: optional(Type.Integer({ minimum: 0 })) }),
    ),
    effort: optional(Type.String({ description: "Anthropic's name of the reasoning effort" })),
    verbosity: optional(Type.String()),
    thinking_config: optional(
      Type.Object({
        include_thoughts: optional(Type.Boolean()),
        thinking_budget: optional(Type.Integer({ minimum: 0 })),
      }),
    ),
  },
  {
    additionalProperties: true,
    description: 'Settings of the model, by its provider_type; what is not set is the default',
  },
)
