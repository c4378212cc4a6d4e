import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { Nullable } from '#http/wire/nullable.ts'
import { invalidArgument } from '#platform/errors.ts'
import { measurePassages } from '#store/passages/measure-passages.ts'

const BYTES_OF_UNIT = new Map([
  ['B', 1],
  ['KB', 1024],
  ['MB', 1024 ** 2],
  ['GB', 1024 ** 3],
  ['TB', 1024 ** 4],
])

export function getTotalStorageSize(app: App, context: Context): void {
  app.get(
    '/v1/embeddings/total_storage_size',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'get_total_storage_size',
        tags: ['embeddings'],
        summary: 'The size of all passages, of archives and of files, in the unit asked for',
        headers: Type.Object({
          'storage-unit': Type.Optional(Nullable(Type.String({ description: 'B, KB, MB, GB (the default) or TB' }))),
        }),
        response: { 200: Type.Number() },
      },
    },
    async ({ actor, headers }) => {
      const unit = (headers['storage-unit'] ?? 'GB').toUpperCase()
      const bytes = BYTES_OF_UNIT.get(unit)
      if (bytes === undefined) {
        throw invalidArgument('INVALID_ARGUMENT: The header storage-unit must be one of B, KB, MB, GB and TB.')
      }
      return (await measurePassages(context.db, actor.organizationId)) / bytes
    },
  )
}
