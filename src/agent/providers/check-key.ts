import { type BroughtProvider, toBroughtProvider } from '#llm/provider-types.ts'
import type { ProviderDesk } from '#llm/registry.ts'
import { DomainError, invalidArgument } from '#platform/errors.ts'
import { findPrivatePart } from '#platform/public-url.ts'

/** What is needed to ask a provider that a client has named. */
export interface KeyCheck {
  desk: ProviderDesk
  /** False refuses addresses that are not on the public internet. */
  allowsPrivate: boolean
}

/**
 * Throws invalid_argument for a provider that could not be called: a type that is not known, a bad address. What a name means is
 * asked only when it is called: it can change until then.
 */
export function checkCallable(provider: BroughtProvider, allowsPrivate: boolean): void {
  const url = URL.parse(toBroughtProvider(provider).baseUrl)
  const problem = url === null || allowsPrivate ? undefined : findPrivatePart(url)
  if (problem === undefined) return
  throw invalidArgument(`INVALID_ARGUMENT: base_url: ${problem}. PERDURE_PROVIDER_ADDRESSES=any allows it.`)
}

/**
 * Asks the provider for its models with the key; takes five seconds at most. Throws unauthorized where it refuses the key, unavailable
 * where nobody can say.
 */
export async function checkKey({ desk, allowsPrivate }: KeyCheck, provider: BroughtProvider): Promise<void> {
  checkCallable(provider, allowsPrivate)
  const { models, problem, isKeyRefused } = await desk.tryProvider(toBroughtProvider(provider))
  if (models !== undefined) return
  if (isKeyRefused) {
    throw new DomainError('unauthorized', `The provider refuses the key (provider_type=${provider.providerType}).`)
  }
  throw new DomainError('unavailable', `The key could not be checked: ${problem ?? 'the provider gave no list'}.`, {
    canRetry: false,
  })
}
