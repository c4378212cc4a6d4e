import { Ajv } from 'ajv'
import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { unprocessable } from '#platform/errors.ts'
import { countAgents } from '#store/agents/agent-reader.ts'
import { Combinator, Conditions } from './search-schema.ts'
import { toSearchFilter } from './to-search-filter.ts'

const Query = Type.Object(
  {
    search: Type.Optional(
      Type.Array(Type.String(), {
        description: 'Conditions as JSON, one each or all in a list; or as search[0][field]=name&search[0][operator]=…',
      }),
    ),
    project_id: Type.Optional(Type.String()),
    combinator: Type.Optional(Combinator),
  },
  { additionalProperties: true },
)

export function countDeployedAgents(app: App, context: Context): void {
  app.get(
    '/v1/agents/search/count',
    {
      config: { permission: 'agents:read' },
      schema: {
        operationId: 'agents.countDeployedAgents',
        tags: ['agents'],
        summary: 'Count the agents of a search',
        querystring: Query,
        response: { 200: Type.Object({ count: Type.Integer() }) },
      },
    },
    async ({ actor, query }) => {
      const filter = toSearchFilter(readConditions(query), query.project_id)
      return { count: filter === undefined ? 0 : await countAgents(context.db, actor.organizationId, filter) }
    },
  )
}

const refusal = () =>
  unprocessable(
    'query.search: send conditions as JSON, such as search={"field":"name","operator":"contains","value":"ada"}',
  )

/** Conditions of the URL, in either of the forms that clients write lists of objects in. Throws unprocessable. */
function readConditions(query: Record<string, unknown>): Conditions {
  const asJson = ((query.search ?? []) as string[]).flatMap(parse)
  const conditions = [...asJson, ...inBrackets(query)]
  if (!isConditions(conditions)) throw refusal()
  return conditions
}

function parse(text: string): unknown[] {
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? value : [value]
  } catch {
    throw refusal()
  }
}

let validate: ((value: unknown) => boolean) | undefined

function isConditions(value: unknown): value is Conditions {
  validate ??= new Ajv({ strict: false }).compile(Conditions)
  return validate(value)
}

const BRACKETS = /^search\[(\d{1,3})\]\[(field|operator|value)\](\[\d{0,3}\])?$/

/** `search[0][field]=tags&search[0][value][]=a`. */
function inBrackets(query: Record<string, unknown>): Record<string, unknown>[] {
  const conditions = new Map<number, Record<string, unknown>>()
  for (const [key, value] of Object.entries(query)) {
    const [, position, field, isList] = BRACKETS.exec(key) ?? []
    if (position === undefined || field === undefined) continue
    const condition = conditions.get(Number(position)) ?? {}
    conditions.set(Number(position), condition)
    const values = isList === undefined ? value : [value].flat()
    const before = condition[field]
    condition[field] = Array.isArray(before) && Array.isArray(values) ? [...before, ...values] : values
  }
  return [...conditions].sort(([one], [other]) => one - other).map(([, condition]) => condition)
}
