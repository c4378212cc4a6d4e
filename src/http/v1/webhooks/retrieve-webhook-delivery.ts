import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { DeliveryId, DeliverySchema } from './delivery-schema.ts'
import { getDelivery } from './get-delivery.ts'
import { presentDelivery } from './present-delivery.ts'

export function retrieveWebhookDelivery(app: App, context: Context): void {
  app.get(
    '/v1/webhooks/deliveries/:delivery_id',
    {
      config: { permission: 'webhooks:read' },
      schema: {
        operationId: 'retrieve_webhook_delivery',
        tags: ['webhooks'],
        summary: 'Get a callback',
        params: DeliveryId,
        response: { 200: DeliverySchema },
      },
    },
    async ({ actor, params }) =>
      presentDelivery(await getDelivery(context.db, actor.organizationId, params.delivery_id)),
  )
}
