import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { getPassage } from '#memory/modify-passage.ts'
import { findEmbeddingState } from '#store/embeddings/find-embedding-state.ts'
import { EmbeddedPassageSchema, PassageId } from './passage-schema.ts'
import { presentPassage } from './present-passage.ts'

export function retrievePassage(app: App, context: Context): void {
  app.get(
    '/v1/passages/:passage_id',
    {
      config: { permission: 'passages:read' },
      schema: {
        operationId: 'retrieve_passage',
        tags: ['passages'],
        summary: 'Retrieve a passage, and how far it is embedded',
        params: PassageId,
        response: { 200: EmbeddedPassageSchema },
      },
    },
    async ({ actor: { organizationId }, params }) => {
      const passage = await getPassage(context.db, organizationId, params.passage_id)
      const state = await findEmbeddingState(context.db, organizationId, passage.id)
      return { ...presentPassage(passage), embedding_state: state }
    },
  )
}
