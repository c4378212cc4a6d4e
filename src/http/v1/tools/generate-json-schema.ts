import Type from 'typebox'
import type { App } from '#http/app.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import { unprocessable } from '#platform/errors.ts'
import { deriveToolSchema } from '#tools/schema/derive-tool-schema.ts'

const Optional = Type.Optional(Nullable(Type.String()))
const SourceSchema = Type.Object({ code: Optional, source_code: Optional, source_type: Optional })

export function generateJsonSchema(app: App): void {
  app.post(
    '/v1/tools/generate-schema',
    {
      config: { permission: 'tools:read' },
      schema: {
        operationId: 'generate_json_schema',
        tags: ['tools'],
        summary: 'Read the schema of a tool from its source, which is not run; nothing is stored',
        body: SourceSchema,
        response: { 200: AnyObject },
      },
    },
    async ({ body }) => {
      const sourceCode = body.code ?? body.source_code
      if (sourceCode == null) throw unprocessable('body.code: Field required')
      return { ...(await deriveToolSchema({ sourceType: body.source_type ?? 'python', sourceCode })) }
    },
  )
}
