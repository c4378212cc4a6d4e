import { randomUUID } from 'node:crypto'
import { DomainError } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import * as store from '#store/environments/environment-store.ts'

/** An error in the words of this part of the API: a code and a message beside `detail`. */
function environmentError(kind: 'not_found' | 'conflict', errorCode: string, message: string): DomainError {
  return new DomainError(kind, message, { extra: { errorCode, message }, canRetry: false })
}

export const environmentNotFound = (what: 'device' | 'connection' | 'id', value: string): DomainError =>
  environmentError('not_found', 'ENVIRONMENT_NOT_FOUND', `There is no environment with the ${what} ${value}.`)

/** Notes a machine under the id of its device; one that is known gets a new connection id. */
export function registerEnvironment(
  db: Queryable,
  author: { organizationId: string; userId: string },
  input: { deviceId: string; connectionName: string; metadata?: Record<string, unknown> | undefined },
): Promise<store.EnvironmentRow> {
  return store.upsertEnvironment(db, author.organizationId, {
    id: newId('environment'),
    device_id: input.deviceId,
    connection_id: randomUUID(),
    connection_name: input.connectionName,
    metadata: input.metadata ?? null,
    user_id: author.userId,
  })
}

/** Throws not_found. */
export async function removeEnvironment(db: Queryable, organizationId: string, id: string): Promise<void> {
  if (!(await store.deleteEnvironment(db, organizationId, id))) throw environmentNotFound('id', id)
}

/** Always throws: not_found for an unknown connection, conflict for a known one, since none can be connected. */
export async function refuseOffline(db: Queryable, organizationId: string, connectionId: string): Promise<never> {
  const environment = await store.findEnvironment(db, organizationId, { connectionId })
  if (environment === undefined) throw environmentNotFound('connection', connectionId)
  throw environmentError(
    'conflict',
    'ENVIRONMENT_OFFLINE',
    `The environment '${environment.connection_name}' is not connected, and cannot be: this server has no socket for environments. Send the message to the agent instead: POST /v1/agents/{agent_id}/messages.`,
  )
}
