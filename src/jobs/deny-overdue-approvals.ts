import { denyOverdue } from '#agent/approvals/deny-pending.ts'
import type { Logger } from '#platform/logger.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import { listOverdueApprovals } from '#store/conversations/pending-approvals.ts'
import type { Db } from '#store/db.ts'
import { Ticker } from './ticker.ts'

const EVERY_MS = 5000
const BATCH = 100

interface Options {
  db: Db
  logger: Logger
  runs: Pick<RunEngine, 'start'>
  /** Milliseconds that a request may wait. */
  timeoutMs: number
  everyMs?: number
}

/** Denies requests that nobody answers, so that their agents go on. A run that is started twice is started once. */
export function denyOverdueApprovals({ db, logger, runs, timeoutMs, everyMs = EVERY_MS }: Options): Ticker {
  const reason = 'Nobody answered in time, so the tool call was denied.'
  return new Ticker({
    logger,
    name: 'denying approvals that nobody has answered',
    everyMs,
    work: async () => {
      for (const thread of await listOverdueApprovals(db, timeoutMs, BATCH)) await denyOverdue(runs, thread, reason)
    },
  })
}
