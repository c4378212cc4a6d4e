import type { SecretBox, SecretOwner } from '#platform/secret-box.ts'

type KeyColumn = 'api_key' | 'access_key'

/** By name, which never changes: when a provider is made again, its row may get back an older id. */
const ownerOf = (organizationId: string, name: string, column: KeyColumn): SecretOwner => ({
  organizationId,
  place: `providers ${name} ${column}`,
})

/** A key as it is stored; none stays none. Throws invalid_argument where the server cannot encrypt. */
export function sealKey(
  secrets: SecretBox,
  organizationId: string,
  name: string,
  column: KeyColumn,
  plain: string | null | undefined,
): string | null {
  return plain == null || plain === '' ? null : secrets.seal(plain, ownerOf(organizationId, name, column))
}

/** Throws unavailable where the server's key is not the one it was sealed with. */
export function openKey(
  secrets: SecretBox,
  organizationId: string,
  name: string,
  sealed: string | null,
): string | undefined {
  return sealed === null ? undefined : secrets.open(sealed, ownerOf(organizationId, name, 'api_key'))
}
