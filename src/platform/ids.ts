import { v4, v5, v7 } from 'uuid'

/** Prefixes of the ids that cross the wire: `<prefix>-<uuid>`. Folders keep the old prefix `source`. */
export type IdPrefix =
  | 'agent'
  | 'agent-env'
  | 'archive'
  | 'block'
  | 'call'
  | 'conv'
  | 'delivery'
  | 'deployment'
  | 'environment'
  | 'file'
  | 'file_agent'
  | 'group'
  | 'identity'
  | 'job'
  | 'mcp-oauth'
  | 'mcp_server'
  | 'message'
  | 'model'
  | 'org'
  | 'passage'
  | 'ping'
  | 'project'
  | 'provider'
  | 'provider_trace'
  | 'ptrace'
  | 'run'
  | 'sandbox'
  | 'sandbox-env'
  | 'schedule'
  | 'source'
  | 'step'
  | 'template'
  | 'token'
  | 'tool'
  | 'user'

/** The organisation and the user that a single-tenant server works as; the same ids that V1 used. */
export const DEFAULT_ORGANIZATION_ID = 'org-00000000-0000-4000-8000-000000000000'
export const DEFAULT_USER_ID = 'user-00000000-0000-4000-8000-000000000000'

/** A random id, for things that people create now and then. */
export function newId(prefix: IdPrefix): string {
  return `${prefix}-${v4()}`
}

/** A time-ordered id (UUIDv7), for rows that are inserted by the million: new keys land at the right edge of the index. */
export function newOrderedId(prefix: IdPrefix): string {
  return `${prefix}-${v7()}`
}

/** Any fixed UUID does. */
const DERIVED = '6f0f9c1e-5a3b-4c53-9d5a-2f0c8a7f1b64'

/** The same id for the same name: whoever does a piece of work again finds that it is done. */
export function derivedId(prefix: IdPrefix, name: string): string {
  return `${prefix}-${v5(name, DERIVED)}`
}
