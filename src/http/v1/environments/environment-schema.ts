import Type, { type Static } from 'typebox'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import type { EnvironmentRow } from '#store/environments/environment-store.ts'

/** An environment as sent; times are milliseconds since 1970. */
export const EnvironmentSchema = Type.Object({
  id: Type.String(),
  connectionId: Nullable(Type.String()),
  deviceId: Type.String(),
  connectionName: Type.String(),
  organizationId: Type.String(),
  userId: Type.String(),
  podId: Nullable(Type.String()),
  connectedAt: Nullable(Type.Number({ description: 'Null: it is not connected' })),
  lastHeartbeat: Nullable(Type.Number()),
  lastSeenAt: Type.Number(),
  firstSeenAt: Type.Number(),
  metadata: Type.Optional(AnyObject),
})

/** A stored environment as the wire shows it. */
export function presentEnvironment(row: EnvironmentRow, organizationId: string): Static<typeof EnvironmentSchema> {
  return {
    id: row.id,
    connectionId: row.connection_id,
    deviceId: row.device_id,
    connectionName: row.connection_name,
    organizationId,
    userId: row.user_id,
    podId: null,
    connectedAt: null,
    lastHeartbeat: null,
    lastSeenAt: row.last_seen_at.getTime(),
    firstSeenAt: row.created_at.getTime(),
    ...(row.metadata === null ? {} : { metadata: row.metadata }),
  }
}
