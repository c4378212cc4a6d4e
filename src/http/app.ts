import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify'
import type { AgentAccess } from '#store/access-tokens/find-access-token.ts'

/** The Fastify instance as every operation sees it: route types come from the TypeBox schemas. */
export type App = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression<RawServerDefault>,
  RawReplyDefaultExpression<RawServerDefault>,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>

/** Who calls; from the credential alone. */
export interface Actor {
  organizationId: string
  userId: string
  projectId: string | null
  /** What a web page with an access token may do, and nothing else; undefined for whoever may do everything. */
  access?: readonly AgentAccess[]
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by the auth plugin before any handler runs. */
    actor: Actor
  }

  interface FastifyContextConfig {
    /**
     * What a caller must be allowed to do, `<resource>:read` or `:write`. `public` answers anyone, without a credential:
     * probes and the landing page.
     */
    permission?: string
    /** A second permission, for what shows or does more than the first allows: a token needs both. */
    alsoNeeds?: string
    /** True where a successful request is not worth a line in the log (probes). */
    isQuiet?: boolean
  }
}
