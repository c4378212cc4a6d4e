import { digest } from '#http/plugins/idempotency.ts'
import type { RunKey } from '#store/idempotency/run-key.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'

const threadOf = (thread: NewRun['thread']): string => ('agentId' in thread ? thread.agentId : thread.conversationId)

/** By what the newest run of a thread that has a message with this otid is found. */
export const otidHash = (thread: NewRun['thread'], otid: string): string => digest(['otid', threadOf(thread), otid])

/**
 * What a request is known by when it comes again: its Idempotency-Key, and the otids of its messages when the client has chosen
 * all of them. A repetition is told the answer of the run, also when that has ended. Another content under the same otids is another
 * request: clients exist that never change theirs.
 */
export function runKeys(
  idempotencyKey: { hash: string; fingerprint: string } | null,
  thread: NewRun['thread'],
  input: readonly NewMessage[],
): Pick<NewRun, 'keys' | 'notices'> {
  const keys: RunKey[] = idempotencyKey === null ? [] : [idempotencyKey]
  const otids = input.flatMap(({ otid }) => (otid == null ? [] : [otid]))
  if (otids.length === 0) return { keys, notices: [] }
  if (otids.length === input.length) {
    const said = input.map(({ role, content, otid }) => [role, content, otid])
    keys.push({ hash: digest(['otids', threadOf(thread), said]), fingerprint: null })
  }
  return { keys, notices: [...new Set(otids.map((otid) => otidHash(thread, otid)))] }
}
