import { createHash, randomBytes } from 'node:crypto'

const SECRET_BYTES = 32
const FORMAT = /^pct_([\w-]{1,300})\.[\w-]{43}$/
const IN_TEXT = /pct_[\w-]+(\.|%2e)[\w-]+/gi

/** A new token: it begins with the organisation that it is of, so that it is looked for among those of that one only. */
export function newAccessToken(organizationId: string): string {
  const organization = Buffer.from(organizationId).toString('base64url')
  return `pct_${organization}.${randomBytes(SECRET_BYTES).toString('base64url')}`
}

/** The organisation that a token says it is of, and its hash; undefined for anything that is no such token. */
export function parseAccessToken(text: string): { organizationId: string; hash: Uint8Array } | undefined {
  const organization = FORMAT.exec(text)?.[1]
  if (organization === undefined) return undefined
  const organizationId = Buffer.from(organization, 'base64url').toString('utf8')
  return /^[\w-]+$/.test(organizationId) ? { organizationId, hash: hashOf(text) } : undefined
}

export const hashOf = (token: string): Uint8Array => createHash('sha256').update(token).digest()

/** The text with what looks like a token hidden, for logs: a token can stand in a path. */
export const hideAccessTokens = (text: string): string => text.replace(IN_TEXT, 'pct_…')
