import Type from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { AnyObject, Nullable, StringEnum, Timestamp } from '#http/wire/nullable.ts'

export const SandboxConfigId = Type.Object({ sandbox_config_id: IdSchema('sandbox') })
export const SandboxVariableId = Type.Object({ env_var_id: IdSchema('sandbox-env') })

const Requirements = Type.Optional(
  Nullable(
    Type.Array(
      Type.Union([
        Type.String({ minLength: 1 }),
        Type.Object({ name: Type.String({ minLength: 1 }), version: Type.Optional(Nullable(Type.String())) }),
      ]),
    ),
  ),
)

/** Settings of any type; which fields a type has is the domain's to say. */
export const SandboxSettingsSchema = Type.Object({
  sandbox_dir: Type.Optional(Nullable(Type.String())),
  use_venv: Type.Optional(Nullable(Type.Boolean())),
  venv_name: Type.Optional(Nullable(Type.String())),
  timeout: Type.Optional(Nullable(Type.Integer({ minimum: 1, maximum: 86_400, description: 'Seconds' }))),
  template: Type.Optional(Nullable(Type.String())),
  language: Type.Optional(Nullable(StringEnum(['python', 'typescript']))),
  pip_requirements: Requirements,
  npm_requirements: Requirements,
})

const common = {
  created_by_id: Nullable(Type.String()),
  last_updated_by_id: Nullable(Type.String()),
  created_at: Timestamp,
  updated_at: Timestamp,
}

export const SANDBOX_TYPES = ['local', 'e2b', 'modal'] as const

export const SandboxConfigSchema = Type.Object({
  id: Type.String(),
  type: StringEnum(SANDBOX_TYPES),
  config: AnyObject,
  ...common,
})

/** The value is a mask; it is stored encrypted. */
export const SandboxVariableSchema = Type.Object({
  id: Type.String(),
  key: Type.String(),
  value: Type.String({ description: 'Always a mask' }),
  value_enc: Type.Null(),
  description: Nullable(Type.String()),
  sandbox_config_id: Type.String(),
  ...common,
})
