import Type, { type Static } from 'typebox'
import { StringEnum } from '#http/wire/nullable.ts'

/** One condition; all of them must hold. */
const Condition = Type.Union([
  Type.Object({ field: Type.Literal('version'), value: Type.String() }),
  Type.Object({
    field: Type.Literal('name'),
    operator: StringEnum(['eq', 'contains']),
    value: Type.String(),
  }),
  Type.Object({
    field: Type.Literal('tags'),
    operator: Type.Literal('contains'),
    value: Type.Array(Type.String(), { description: 'The agent has all of them' }),
  }),
  Type.Object({
    field: StringEnum(['identity', 'templateName', 'agentId']),
    operator: Type.Literal('eq'),
    value: Type.String(),
  }),
])

export const Conditions = Type.Array(Condition, { maxItems: 50 })
export type Conditions = Static<typeof Conditions>

export const Combinator = StringEnum(['AND'])
