import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { listWebhookDeliveries } from './list-webhook-deliveries.ts'
import { retrieveWebhookDelivery } from './retrieve-webhook-delivery.ts'
import { retryWebhookDelivery } from './retry-webhook-delivery.ts'

export function registerWebhooks(app: App, context: Context): void {
  // webhooks:read
  listWebhookDeliveries(app, context)
  retrieveWebhookDelivery(app, context)

  // webhooks:write
  retryWebhookDelivery(app, context)
}
