import Type from 'typebox'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { StringEnum } from '#http/wire/nullable.ts'
import { pagingParameters, toPageRequest } from '#http/wire/paging.ts'
import { listDeliveries } from '#store/webhooks/delivery-reader.ts'
import { DELIVERY_STATES, DeliverySchema } from './delivery-schema.ts'
import { presentDelivery } from './present-delivery.ts'

export function listWebhookDeliveries(app: App, context: Context): void {
  app.get(
    '/v1/webhooks/deliveries',
    {
      config: { permission: 'webhooks:read' },
      schema: {
        operationId: 'list_webhook_deliveries',
        tags: ['webhooks'],
        summary: 'List callbacks, newest first unless asked otherwise; state=dead are those that were given up',
        querystring: Type.Object({ ...pagingParameters(), state: Type.Optional(StringEnum(DELIVERY_STATES)) }),
        response: { 200: Type.Array(DeliverySchema) },
      },
    },
    async ({ actor, query }) => {
      const filter = { state: query.state }
      const rows = await listDeliveries(context.db, actor.organizationId, filter, toPageRequest(query))
      return rows.map(presentDelivery)
    },
  )
}
