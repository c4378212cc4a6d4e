import { createHash } from 'node:crypto'
import { MAX_TOOL_NAME_LENGTH } from '#tools/schema/tool-schema.ts'

/** Begins with the hash's separator: `_` and eight of its characters. */
const HASH_LENGTH = 9

/** Characters that providers do not take in the name of a function. */
const clean = (text: string): string => text.replace(/[^a-zA-Z0-9_-]+/g, '_').replace(/^_+(?=.)/, '') || 'tool'

const hashOf = (text: string): string =>
  createHash('sha256')
    .update(text)
    .digest('hex')
    .slice(0, HASH_LENGTH - 1)

/** A name that fits: cut, with a hash of what it stands for. */
const shorten = (name: string, whole: string): string =>
  name.length <= MAX_TOOL_NAME_LENGTH ? name : `${name.slice(0, MAX_TOOL_NAME_LENGTH - HASH_LENGTH)}_${hashOf(whole)}`

/**
 * Names that a tool can have here, best first: the server's own, that with the server's name before it, that with a hash. The last is
 * as good as unique.
 */
export function namesOfMcpTool(serverName: string, remoteName: string): string[] {
  const whole = `${serverName}\0${remoteName}`
  const prefixed = `${clean(serverName)}_${clean(remoteName)}`
  const hashed = `${prefixed.slice(0, MAX_TOOL_NAME_LENGTH - HASH_LENGTH)}_${hashOf(whole)}`
  return [shorten(clean(remoteName), whole), shorten(prefixed, whole), hashed]
}

/** The first name of each tool that nobody has; what has a name already keeps it. */
export function nameMcpTools(
  serverName: string,
  remoteNames: readonly string[],
  { known, isTaken }: { known: ReadonlyMap<string, string>; isTaken: (name: string) => boolean },
): Map<string, string> {
  const used = new Set(remoteNames.flatMap((remote) => known.get(remote) ?? []))
  const names = new Map<string, string>()
  for (const remote of remoteNames) {
    const free = namesOfMcpTool(serverName, remote).find((name) => !used.has(name) && !isTaken(name))
    const name = known.get(remote) ?? free
    // three names that others have: only a person who wants that can bring it about
    if (name === undefined) continue
    used.add(name)
    names.set(remote, name)
  }
  return names
}
