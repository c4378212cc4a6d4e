import Type from 'typebox'
import type { IdPrefix } from '#platform/ids.ts'

/** Prefixes that clients send for things which the server does not keep yet; their form is checked all the same. */
type WirePrefix = IdPrefix | 'group' | 'identity' | 'source'

const UUID_PATTERN = '-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$'

/** An id `<prefix>-<uuid>`, lower case, of any UUID version: V1 issued version 4, this server also issues version 7. */
export const IdSchema = (prefix: WirePrefix, description?: string) =>
  Type.String({
    pattern: `^${prefix}${UUID_PATTERN}`,
    description: description ?? `The id, '${prefix}-' and a UUID`,
  })

/** What a pattern of `IdSchema` is called in errors (`agent-{uuid4}`, the words of V1); undefined for other patterns. */
export function idPatternName(pattern: string): string | undefined {
  return pattern.endsWith(UUID_PATTERN) ? `${pattern.slice(1, -UUID_PATTERN.length)}-{uuid4}` : undefined
}
