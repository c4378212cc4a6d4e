import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { catalogOf } from '#http/v1/agents/read-agent.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import { toEmbeddingHandle } from '#http/wire/to-embedding-handle.ts'
import * as memory from '#memory/create-archive.ts'
import { ArchiveSchema } from './archive-schema.ts'
import { presentArchive } from './present-archive.ts'

export function createArchive(app: App, context: Context): void {
  app.post(
    '/v1/archives',
    {
      config: { permission: 'archives:write' },
      schema: {
        operationId: 'create_archive',
        tags: ['archives'],
        summary: 'Create an archive: passages that one agent or several can search',
        body: Type.Object({
          name: Type.String(),
          description: Type.Optional(Nullable(Type.String())),
          embedding: Type.Optional(Nullable(Type.String({ description: 'Handle provider/model' }))),
          embedding_config: Type.Optional(Nullable(AnyObject)),
        }),
        response: { 200: ArchiveSchema },
      },
    },
    async ({ actor, body }) => {
      const embedding = toEmbeddingHandle(body) ?? context.config.defaultEmbedding ?? null
      const input = { name: body.name, description: body.description ?? null, embedding }
      return presentArchive(
        await memory.createArchive(context.db, actor, input),
        await catalogOf(context, actor.organizationId),
      )
    },
  )
}
