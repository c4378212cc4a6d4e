import Type, { type Static } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'
import { StringEnum, Timestamp } from '#http/wire/nullable.ts'
import type { AccessTokenRow } from '#store/access-tokens/access-token-writer.ts'
import { AGENT_ACCESSES } from '#store/access-tokens/find-access-token.ts'

export const PolicyEntrySchema = Type.Object({
  type: Type.Literal('agent'),
  id: IdSchema('agent'),
  access: Type.Array(StringEnum(AGENT_ACCESSES), { minItems: 1 }),
})

export const AccessTokenSchema = Type.Object({
  token: Type.String({ description: 'The token itself when it is made; its id afterwards' }),
  policy: Type.Object({ version: Type.Literal('1'), data: Type.Array(PolicyEntrySchema) }),
  hostname: Type.String(),
  expiresAt: Timestamp,
})
type AccessTokenWire = Static<typeof AccessTokenSchema>

/** A token as the wire shows it; the token itself is known only when it is made. */
export function presentAccessToken(row: AccessTokenRow, token: string = row.id): AccessTokenWire {
  return {
    token,
    policy: { version: '1', data: row.policy },
    hostname: row.hostname,
    expiresAt: row.expires_at.toISOString(),
  }
}
