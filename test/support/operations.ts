import type { App } from '#http/app.ts'

/** A JSON schema as far as the generators of requests read it. */
export interface JsonSchema {
  type?: string
  properties?: Record<string, JsonSchema>
  required?: string[]
  items?: JsonSchema
  anyOf?: JsonSchema[]
  enum?: unknown[]
  const?: unknown
  pattern?: string
  minimum?: number
  maximum?: number
  default?: unknown
}

export interface Operation {
  id: string
  method: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE'
  /** With parameters as `{agent_id}`. */
  path: string
  pathParameters: string[]
  query: Record<string, JsonSchema>
  body: JsonSchema | undefined
}

interface Document {
  paths: Record<
    string,
    Record<
      string,
      {
        operationId: string
        parameters?: { in: string; name: string; schema: JsonSchema }[]
        requestBody?: { content: Record<string, { schema: JsonSchema }> }
      }
    >
  >
}

/** Every operation that the server describes in its OpenAPI document, so that a test over them has new ones by itself. */
export function listOperations(app: App): Operation[] {
  const { paths } = app.swagger() as unknown as Document
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], requestBody }]) => ({
      id: operationId,
      method: method.toUpperCase() as Operation['method'],
      path,
      pathParameters: [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name),
      query: Object.fromEntries(parameters.filter((p) => p.in === 'query').map((p) => [p.name, p.schema])),
      body: requestBody?.content['application/json']?.schema,
    })),
  )
}

/** The path with its parameters filled in, escaped unless the value is escaped already. */
export function pathOf(operation: Operation, fill: (name: string) => string): string {
  return operation.path.replace(/\{(\w+)\}/g, (_, name: string) => fill(name))
}
