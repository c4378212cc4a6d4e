import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import type { IdentityTarget } from './identity-writer.ts'

/** The conditions that a row of `agents` or `blocks` has the identity asked for, and one of the keys; undefined where none is asked. */
export function hasIdentity(
  target: IdentityTarget,
  organizationId: string,
  filter: { identityId?: string | undefined; identifierKeys?: readonly string[] | undefined },
): RawBuilder<unknown> | undefined {
  const { identityId, identifierKeys = [] } = filter
  if (identityId === undefined && identifierKeys.length === 0) return undefined
  const has = (condition: RawBuilder<unknown>) => sql`${sql.ref(`${target}s.id`)} in (
    select ${sql.ref(`l.${target}_id`)} from ${sql.table(`${target}_identities`)} as l
    where l.organization_id = ${organizationId} and ${condition})`
  return allOf(
    identityId !== undefined && has(sql`l.identity_id = ${identityId}`),
    identifierKeys.length > 0 &&
      has(sql`l.identity_id in (select i.id from identities as i
        where i.organization_id = ${organizationId} and i.identifier_key = any(${[...identifierKeys]}::text[]))`),
  )
}
