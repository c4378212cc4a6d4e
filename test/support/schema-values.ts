import fc from 'fast-check'
import { HOSTILE_JSON } from './hostile-values.ts'
import type { JsonSchema } from './operations.ts'

const LARGE = 10_000
/** Hostile values that can be sent thousands of times. */
const hostile = fc.constantFrom(
  ...Object.values(HOSTILE_JSON)
    .filter((json) => json.length < LARGE)
    // what is no number of JavaScript and `__proto__` are left to the tests that send raw text
    .map((json): unknown => JSON.parse(json)),
)

const text = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom('human', 'persona', 'plan', 'x', 'a b', 'boat', 'Ünïcödé 😀', '100% _\\', "'"),
  },
  { weight: 2, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom('', ' ', '<human>', '\n', '-', '"', '"open', '-x', 'x'.repeat(300)) },
)
const moment = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom('2026-01-31', '2026-02-29', '2024-02-29T12:00:00+14:00', '9999-12-31', '0001-01-01', 'now', ''),
)

/** Values that fields of these names want, so that requests get past the first check. */
const BY_NAME: Record<string, fc.Arbitrary<unknown>> = {
  model: fc.constantFrom('openai/gpt-4o-mini', 'openai/gpt-4o-mini', 'anthropic/claude-haiku-4-5', 'openai/none', 'x'),
  override_model: fc.constantFrom('openai/gpt-4o-mini', 'x/y'),
  embedding: fc.constantFrom('openai/text-embedding-3-small', 'x'),
  timezone: fc.constantFrom('UTC', 'Europe/Berlin', 'Mars/Olympus'),
  tools: fc.subarray([
    'memory',
    'memory_rethink',
    'archival_memory_insert',
    'conversation_search',
    'send_message',
    'none',
  ]),
  tool_name: fc.constantFrom('memory_insert', 'conversation_search', 'none'),
  source_code: fc.constantFrom(
    'def first(x: int):\n  """D.\n\n  Args:\n    x: it\n  """\n',
    'def second():\n  "D."\n',
    '/** D. */ export function third(): void {}',
    'def fourth(x): pass',
  ),
  source_type: fc.constantFrom('python', 'python', 'python', 'typescript', 'json', 'none'),
  server_url: fc.constantFrom('https://mcp.invalid/mcp', 'https://other.invalid:8443/x', 'http://10.0.0.1/', 'x'),
  limit: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer()),
  max_steps: fc.integer({ min: 0, max: 4 }),
  start_date: moment,
  end_date: moment,
  start_datetime: moment,
  end_datetime: moment,
  created_at: moment,
}
/** Of these nearly every value is refused, so that they are seldom there. */
const SELDOM = new Set([
  'secrets',
  'tool_exec_environment_variables',
  'folder_ids',
  'source_ids',
  'include_multi_agent_tools',
  'include_default_source',
  'memory_variables',
  'from_template',
  'message_ids',
  'client_tools',
  'client_skills',
  'return_logprobs',
  'return_token_ids',
  'project',
  'callback_url',
  'llm_config',
  'embedding_config',
  'system',
])

/** Stands for the id of something that exists by the time the request is sent: `{"$id": "block", "pick": 3}`. */
export interface IdReference {
  $id: string
  pick: number
}
export const isIdReference = (value: unknown): value is IdReference =>
  typeof value === 'object' && value !== null && typeof (value as IdReference).$id === 'string'

export const idReference = (prefix: string): fc.Arbitrary<IdReference> =>
  fc.record({ $id: fc.constant(prefix), pick: fc.nat(1000) })

/** Values of a schema, most of them valid; one in twenty-five is hostile. */
export function valuesOf(schema: JsonSchema, name = ''): fc.Arbitrary<unknown> {
  return fc.oneof({ weight: 24, arbitrary: validValuesOf(schema, name) }, { weight: 1, arbitrary: hostile })
}

function validValuesOf(schema: JsonSchema, name: string): fc.Arbitrary<unknown> {
  const isScalar = schema.type !== 'object' && schema.anyOf === undefined
  const named = BY_NAME[name]
  if (named !== undefined && (isScalar || schema.type === 'array')) return named
  if (schema.anyOf !== undefined) {
    const [first, ...others] = schema.anyOf.map((option) => ({ weight: 1, arbitrary: validValuesOf(option, name) }))
    return first === undefined ? fc.constant(null) : fc.oneof({ ...first, weight: 5 }, ...others)
  }
  if (schema.const !== undefined) return fc.constant(schema.const)
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum)
  switch (schema.type) {
    case 'string': {
      const prefix = /^\^(\w+)-\[/.exec(schema.pattern ?? '')?.[1]
      return prefix === undefined ? text : idReference(prefix)
    }
    case 'integer':
      return fc.oneof(
        fc.integer({ min: schema.minimum ?? -10, max: Math.min(schema.maximum ?? 2000, 2 ** 31) }),
        fc.maxSafeInteger(),
      )
    case 'number':
      return fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.double({ noNaN: true, noDefaultInfinity: true }))
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    case 'array':
      return fc.array(valuesOf(schema.items ?? {}, name), { maxLength: 3 })
    case 'object':
      return objectsOf(schema)
    default:
      return text
  }
}

function objectsOf({ properties, required = [] }: JsonSchema): fc.Arbitrary<unknown> {
  if (properties === undefined) return fc.dictionary(text, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })
  const fields = Object.entries(properties).map(([name, schema]) => {
    const field = valuesOf(schema, name).map((value): [string, unknown][] => [[name, value]])
    const weight = required.includes(name) ? 60 : SELDOM.has(name) ? 1 : 15
    return fc.oneof(
      { weight, arbitrary: field },
      { weight: required.includes(name) ? 1 : 45, arbitrary: fc.constant([]) },
    )
  })
  return fc.tuple(...fields).map((entries) => Object.fromEntries(entries.flat()))
}
