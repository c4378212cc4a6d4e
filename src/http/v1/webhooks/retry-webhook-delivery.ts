import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { conflict } from '#platform/errors.ts'
import { CALLBACK_ATTEMPTS } from '#runs/check-callback-url.ts'
import { retryDelivery } from '#store/webhooks/retry-delivery.ts'
import { DeliveryId, DeliverySchema } from './delivery-schema.ts'
import { getDelivery } from './get-delivery.ts'
import { presentDelivery } from './present-delivery.ts'

export function retryWebhookDelivery(app: App, context: Context): void {
  app.post(
    '/v1/webhooks/deliveries/:delivery_id/retry',
    {
      config: { permission: 'webhooks:write' },
      schema: {
        operationId: 'retry_webhook_delivery',
        tags: ['webhooks'],
        summary:
          'Send a callback that was given up, or delivered, once more: at once, with as many attempts as a new one',
        params: DeliveryId,
        response: { 200: DeliverySchema },
      },
    },
    async ({ actor, params }) => {
      const { organizationId } = actor
      const isDue = await retryDelivery(context.db, organizationId, params.delivery_id, CALLBACK_ATTEMPTS)
      const row = await getDelivery(context.db, organizationId, params.delivery_id)
      if (!isDue) {
        throw conflict(
          `CONFLICT: Delivery ${row.id} is still being tried; its next attempt is at ${row.next_attempt_at.toISOString()}.`,
          { canRetry: false },
        )
      }
      return presentDelivery(row)
    },
  )
}
