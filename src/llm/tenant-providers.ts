import { type CachedLoad, cachedLoad } from './cached-load.ts'

/** A provider that an organisation has brought, as it is stored. */
export interface TenantProvider {
  id: string
  /** Another one after each change. */
  version: string
  name: string
  providerType: string
  baseUrl: string | null
  /** Decrypts the key; undefined where it has none. May throw. */
  openKey: () => string | undefined
}

/** Another replica sees a key that was changed after this. */
const KEEP_MS = 3_000
/** Organisations whose providers are kept; those that were used longest ago are read again. */
const MAX_ORGANIZATIONS = 1_000

interface Known<Served> {
  providers: CachedLoad<Served[]>
  /**
   * By id and version: the list of models and the connections of a provider that did not change are kept, and so is that it cannot
   * be called.
   */
  served: Map<string, Served | undefined>
}

/**
 * The providers of each organisation, read when a handle needs them and again after seconds. What is made of one (`Served`) lives
 * as long as its row stays the same.
 */
export class TenantProviders<Served> {
  readonly #load: (organizationId: string) => Promise<TenantProvider[]>
  readonly #serve: (provider: TenantProvider) => Served | undefined
  readonly #known = new Map<string, Known<Served>>()

  /**
   * @param load may throw; then nothing is kept
   * @param serve undefined for a provider that cannot be called, which is left out
   */
  constructor(
    load: (organizationId: string) => Promise<TenantProvider[]>,
    serve: (provider: TenantProvider) => Served | undefined,
  ) {
    this.#load = load
    this.#serve = serve
  }

  list(organizationId: string): Promise<Served[]> {
    const known = this.#known.get(organizationId)
    // what is used goes to the end: the first is the one to be forgotten
    this.#known.delete(organizationId)
    const current = known ?? this.#remember(organizationId, new Map())
    this.#known.set(organizationId, current)
    if (this.#known.size > MAX_ORGANIZATIONS) {
      const [oldest] = this.#known.keys()
      if (oldest !== undefined) this.#known.delete(oldest)
    }
    return current.providers.get()
  }

  /** After a change on this replica: the next look-up reads again. */
  forget(organizationId: string): void {
    const known = this.#known.get(organizationId)
    if (known !== undefined) this.#known.set(organizationId, this.#remember(organizationId, known.served))
  }

  #remember(organizationId: string, served: Map<string, Served | undefined>): Known<Served> {
    const known: Known<Served> = {
      served,
      providers: cachedLoad({
        load: async () => {
          const providers = await this.#load(organizationId)
          const next = new Map<string, Served | undefined>()
          for (const provider of providers) {
            const key = `${provider.id} ${provider.version}`
            next.set(key, known.served.has(key) ? known.served.get(key) : this.#serve(provider))
          }
          known.served = next
          return [...next.values()].filter((entry) => entry !== undefined)
        },
        isGood: () => true,
        keepMs: KEEP_MS,
        keepBadMs: 0,
      }),
    }
    return known
  }
}
