import type { FastifyRequest } from 'fastify'
import { parseAccessToken } from '#agent/access-tokens/access-token.ts'
import type { Actor, App } from '#http/app.ts'
import { DomainError } from '#platform/errors.ts'
import { type AgentAccess, findAccessToken, isConversationOf } from '#store/access-tokens/find-access-token.ts'
import type { Queryable } from '#store/db.ts'

/** Which right of a token an operation needs; every other operation is closed to tokens. */
const ACCESS_OF_PERMISSION: Record<string, AgentAccess['access'][number]> = {
  'agents:read': 'read_agent',
  'agents:write': 'write_agent',
  'messages:read': 'read_messages',
  'messages:write': 'write_messages',
}

/** Things beside the agent that a path can name: a right on an agent is none on them. */
const FOREIGN_PARAMETERS = ['archive_id', 'block_id', 'folder_id', 'group_id', 'identity_id', 'source_id', 'tool_id']
/** The same in bodies: what they name would become the agent's, and so the token's; or the agent would become theirs. */
const FOREIGN_FIELDS = [
  ...FOREIGN_PARAMETERS.flatMap((name) => [name, `${name}s`]),
  ...['secrets', 'tool_exec_environment_variables'],
  ...['project_id', 'template_id', 'base_template_id', 'deployment_id', 'entity_id'],
]

/**
 * Who calls with an access token of a web page, and from which pages; undefined where the credential is no such token. Throws
 * unauthorized where there is no such token or it has expired, forbidden where the token is not for this.
 */
export async function findTokenActor(
  db: Queryable,
  request: FastifyRequest,
  credential: string | undefined,
): Promise<{ actor: Actor; origins: string[] } | undefined> {
  const parsed = credential === undefined ? undefined : parseAccessToken(credential)
  if (parsed === undefined) return undefined
  const token = await findAccessToken(db, parsed.organizationId, parsed.hash)
  if (token === undefined || token.is_expired) {
    throw new DomainError('unauthorized', 'This access token is unknown or has expired: make a new one.')
  }
  const { origin } = request.headers
  const allowed = URL.parse(token.hostname)?.origin
  if (origin !== undefined && origin !== allowed) throw forbidden('This access token is for the pages of another host.')
  if (!isAllowed(token.policy, request)) throw forbidden('This access token does not allow this operation.')
  const actor = { organizationId: parsed.organizationId, userId: token.user_id, projectId: null, access: token.policy }
  return { actor, origins: allowed === undefined ? [] : [allowed] }
}

function isAllowed(policy: readonly AgentAccess[], { params, routeOptions }: FastifyRequest): boolean {
  const path = params as Record<string, string | undefined>
  if (path.agent_id === undefined || FOREIGN_PARAMETERS.some((name) => path[name] !== undefined)) return false
  const { permission = '', alsoNeeds = permission } = routeOptions.config ?? {}
  const rights = policy.flatMap(({ id, access }) => (id === path.agent_id ? access : []))
  return [permission, alsoNeeds].every((name) => {
    const needed = ACCESS_OF_PERMISSION[name]
    return needed !== undefined && rights.includes(needed)
  })
}

/** What the path does not tell: bodies and queries of requests with a token may name nothing but the agent's own. */
export function keepTokensToTheirAgents(app: App, db: Queryable): void {
  app.addHook('preValidation', async (request) => {
    if (request.actor.access === undefined) return
    const body = asRecord(request.body)
    const foreign = FOREIGN_FIELDS.find((name) => body[name] !== undefined && body[name] !== null)
    if (foreign !== undefined)
      throw forbidden(`This access token does not allow ${foreign}: it is for its agent alone.`)
    const { agent_id: agentId = '' } = request.params as { agent_id?: string }
    const query = asRecord(request.query)
    // a request for an approval is a message
    const isOfMessages = [query.include].flat().includes('agent.pending_approval')
    const rights = request.actor.access.flatMap(({ id, access }) => (id === agentId ? access : []))
    if (isOfMessages && !rights.includes('read_messages')) {
      throw forbidden('This access token does not allow include=agent.pending_approval: it may not read messages.')
    }
    for (const id of [query.conversation_id, body.conversation_id].flat()) {
      if (typeof id !== 'string' || id === '' || id === 'default' || id === agentId) continue
      if (!(await isConversationOf(db, request.actor.organizationId, id, agentId))) {
        throw forbidden('This access token does not allow this conversation: it is of another agent.')
      }
    }
  })
}

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}

const forbidden = (message: string): DomainError => new DomainError('forbidden', message, { canRetry: false })
