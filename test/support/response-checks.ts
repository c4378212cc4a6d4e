import { existsSync, readFileSync } from 'node:fs'
import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import type { FastifyRequest } from 'fastify'

const V1_DOCUMENT =
  process.env.PERDURE_V1_OPENAPI ?? new URL('../../../shared/openapi-v1.json', import.meta.url).pathname

interface V1Document {
  paths: Record<
    string,
    Record<string, { responses?: Record<string, { content?: Record<string, { schema?: object }> }> }>
  >
  components: { schemas: Record<string, object> }
}

/** Fields that V1's document does not have, which allows no others there: those that the official client reads, and our own. */
const NEWER_FIELDS: Record<string, readonly string[]> = {
  Passage: ['is_duplicate'],
  Tool: ['risk'],
  Conversation: ['archived', 'archived_at', 'context_window_limit', 'description'],
}

function addNewerFields(schemas: Record<string, { properties?: Record<string, object> }>): void {
  for (const [name, fields] of Object.entries(NEWER_FIELDS)) {
    const { properties = {} } = schemas[name] ?? {}
    for (const field of fields) properties[field] ??= {}
  }
}

function newAjv(): Ajv {
  const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true })
  formats.default(ajv, ['date-time', 'date', 'uri', 'email', 'uuid'])
  return ajv
}

let v1: { document: V1Document; ajv: Ajv } | null | undefined

function loadV1(): { document: V1Document; ajv: Ajv } | null {
  if (v1 !== undefined) return v1
  if (!existsSync(V1_DOCUMENT)) {
    console.warn(`responses are not checked against V1's OpenAPI document: ${V1_DOCUMENT} does not exist`)
    v1 = null
    return v1
  }
  const document = JSON.parse(readFileSync(V1_DOCUMENT, 'utf8')) as V1Document
  addNewerFields(document.components.schemas)
  correct(document)
  const ajv = newAjv().addSchema({ $id: 'v1', components: document.components })
  v1 = { document, ajv }
  return v1
}

/** Where V1's document asks for what V1 did not send either, or our answers differ on purpose. */
function correct({ components }: V1Document): void {
  const { Archive, Folder, Source } = components.schemas as Record<
    string,
    { required: string[]; properties: Record<string, object> }
  >
  // required, and no property
  if (Archive !== undefined) Archive.required = Archive.required.filter((name) => name !== 'organization_id')
  // folders need no embedding here
  for (const folder of [Folder, Source]) {
    if (folder === undefined) continue
    folder.properties.embedding_config = { anyOf: [folder.properties.embedding_config, { type: 'null' }] }
  }
}

const ownAjv = newAjv()
const compiled = new Map<unknown, ValidateFunction | null>()

function once(key: unknown, compile: () => ValidateFunction | null): ValidateFunction | null {
  let validate = compiled.get(key)
  if (validate === undefined) {
    validate = compile()
    compiled.set(key, validate)
  }
  return validate
}

/** V1's schema of a response, its references pointed at the one document that Ajv knows. */
function v1Validator(method: string, route: string): ValidateFunction | null {
  const loaded = loadV1()
  if (loaded === null) return null
  const plain = route.replace(/\/$/, '').replace(/:(\w+)/g, '{$1}')
  const path = loaded.document.paths[plain] ?? loaded.document.paths[`${plain}/`]
  const schema = path?.[method.toLowerCase()]?.responses?.['200']?.content?.['application/json']?.schema
  if (schema === undefined) return null
  return loaded.ajv.compile(JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"v1#/components')))
}

/** What is wrong with a successful JSON response, by the route's own schema and by V1's; empty when nothing is. */
export function responseProblems(request: FastifyRequest, status: number, body: unknown): string[] {
  const { url: route = '', schema } = request.routeOptions
  const own = (schema?.response as Record<string, object> | undefined)?.[String(status)]
  const validators: [string, ValidateFunction | null][] = [
    ["the route's schema", own === undefined ? null : once(own, () => ownAjv.compile(own))],
    ["V1's schema", once(`${request.method} ${route}`, () => v1Validator(request.method, route))],
  ]
  return validators.flatMap(([what, validate]) => {
    if (validate === null || validate(body)) return []
    const errors = (validate.errors ?? [])
      .slice(0, 5)
      .map((e) => `${e.instancePath} ${e.message} ${JSON.stringify(e.params)}`)
    return [`${request.method} ${route} → ${status} does not match ${what}: ${errors.join(' · ')}`]
  })
}
