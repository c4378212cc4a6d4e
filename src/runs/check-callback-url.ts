import { invalidArgument } from '#platform/errors.ts'
import { findPrivatePart } from '#platform/public-url.ts'

/** Attempts that a callback gets at first, and again when it is retried by hand; `attempt_limit` in the outbox. */
export const CALLBACK_ATTEMPTS = 8

/**
 * Throws invalid_argument for an address that no callback could be sent to. What a name means is asked only when the callback is
 * sent: it can change until then.
 */
export function checkCallbackUrl(text: string, allowsPrivate: boolean): void {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw invalidArgument('callback_url must begin with https:// or http://.')
  }
  if (url.username !== '' || url.password !== '') {
    throw invalidArgument('callback_url must not have a user or a password in it; check the signature instead.')
  }
  const problem = allowsPrivate ? undefined : findPrivatePart(url)
  if (problem === undefined) return
  throw invalidArgument(`callback_url: ${problem}. PERDURE_WEBHOOK_ADDRESSES=any allows it.`)
}
