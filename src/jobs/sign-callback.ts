import { createHmac } from 'node:crypto'

/** What one attempt sends besides the body. */
export interface SignedMessage {
  id: string
  /** Seconds since the epoch. */
  timestamp: number
  body: string
}

/**
 * The headers of the Standard Webhooks convention: id, time and one signature for each secret, so that a secret can be changed
 * while receivers still know the old one. Without secrets there is no signature.
 */
export function callbackHeaders(message: SignedMessage, secrets: readonly string[]): Record<string, string> {
  const signed = `${message.id}.${message.timestamp}.${message.body}`
  const signatures = secrets.map((secret) => {
    const digest = createHmac('sha256', keyOf(secret)).update(signed).digest('base64')
    return `v1,${digest}`
  })
  return {
    'webhook-id': message.id,
    'webhook-timestamp': String(message.timestamp),
    ...(signatures.length === 0 ? {} : { 'webhook-signature': signatures.join(' ') }),
  }
}

/** `whsec_` and base64 is how the convention writes keys; any other text is the key itself. */
function keyOf(secret: string): Buffer {
  return secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)
}
