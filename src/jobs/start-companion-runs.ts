import { companionInput } from '#agent/groups/companion-input.ts'
import { plainRequest } from '#agent/plain-request.ts'
import { errorMessage } from '#platform/errors.ts'
import { DEFAULT_USER_ID, newOrderedId } from '#platform/ids.ts'
import type { Logger } from '#platform/logger.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import type { Db } from '#store/db.ts'
import {
  claimCompanionRuns,
  type DueCompanions,
  findLastSeqOfRun,
  finishCompanionRuns,
  pruneCompanionRuns,
  shareBlocksWithCompanions,
} from '#store/groups/companion-runs.ts'
import { findMessageSeq, listAgentMessages } from '#store/messages/message-reader.ts'
import type { MessageRow, NewMessage } from '#store/messages/message-row.ts'
import { listRunMessages } from '#store/runs/run-message-reader.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { startRunOnce } from './start-run-once.ts'
import { Ticker } from './ticker.ts'

const TICK_MS = 1_000
const CLAIM_SIZE = 16
/** To start the runs; then another process tries. */
const CLAIM_MS = 5_000
/** Messages that a companion is given at most: the newest. */
const MAX_MESSAGES = 400
/** How long the runs that follow a run are told of; as long as most streams can be read again. */
const KEPT_MS = 86_400_000
const PRUNE_EVERY_MS = 3_600_000
const PRUNE_SIZE = 1000

export interface CompanionStarterOptions {
  db: Db
  logger: Logger
  runs: Pick<RunEngine, 'start'>
}

/**
 * Starts the runs of agents that work behind others, from every replica, while nobody waits. That they are due was stored by the
 * statement that ended the run before, with their ids: whoever goes on where a process died starts nothing twice.
 */
export class CompanionStarter implements AsyncDisposable {
  readonly #options: CompanionStarterOptions
  readonly #ticker: Ticker
  #prunedAt = 0

  constructor(options: CompanionStarterOptions) {
    this.#options = options
    const work = () => this.startDue()
    this.#ticker = new Ticker({ logger: options.logger, name: 'starting sleeptime agents', everyMs: TICK_MS, work })
  }

  start(): void {
    this.#ticker.start()
  }

  /** Starts everything that is due now; gives after how many runs. */
  async startDue(): Promise<number> {
    const { db } = this.#options
    let count = 0
    let claimed: DueCompanions[]
    do {
      claimed = await claimCompanionRuns(db, CLAIM_SIZE, CLAIM_MS)
      await Promise.all(claimed.map((due) => this.#start(due)))
      count += claimed.length
    } while (claimed.length > 0)
    if (Date.now() - this.#prunedAt > PRUNE_EVERY_MS) {
      while ((await pruneCompanionRuns(db, KEPT_MS, PRUNE_SIZE)) === PRUNE_SIZE);
      this.#prunedAt = Date.now()
    }
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ticker[Symbol.asyncDispose]()
  }

  async #start(due: DueCompanions): Promise<void> {
    const { db, logger, runs } = this.#options
    const fields = { group_id: due.group_id, main_run_id: due.main_run_id }
    try {
      await shareBlocksWithCompanions(db, due)
      const { messages, isNew } = await this.#messagesOf(due)
      const input = companionInput(messages)
      for (const { id, agent_id: agentId } of due.runs) {
        if (input !== undefined) await startRunOnce(runs, toRun(due, { id, agentId, input }))
      }
      await finishCompanionRuns(db, due, isNew ? (messages.at(-1)?.id ?? null) : null)
      logger.info({ ...fields, run_ids: due.runs.map(({ id }) => id) }, 'runs of sleeptime agents started')
    } catch (error) {
      logger.warn({ ...fields, error: errorMessage(error) }, 'runs of sleeptime agents not started; tried again soon')
    }
  }

  /** What was said since the last time, up to the end of the run that this is due after: what came later is for the next one. */
  async #messagesOf(due: DueCompanions): Promise<{ messages: MessageRow[]; isNew: boolean }> {
    const { db } = this.#options
    const { organization_id: organizationId, main_agent_id: agentId, last_processed_message_id: last } = due
    const runId = due.main_run_id
    const lastSeq = await findLastSeqOfRun(db, organizationId, runId)
    if (lastSeq === undefined) return { messages: [], isNew: false }
    const afterSeq = last === null ? undefined : await findMessageSeq(db, organizationId, agentId, last)
    const messages = await listAgentMessages(db, {
      organizationId,
      agentId,
      afterSeq,
      beforeSeq: lastSeq + 1,
      limit: MAX_MESSAGES,
      order: 'desc',
    })
    if (messages.length > 0) return { messages, isNew: true }
    // runs of two threads ended at once, and the other one's transcript reached further: its own is said again
    const page = { limit: MAX_MESSAGES, order: 'asc' as const }
    return { messages: await listRunMessages(db, organizationId, { runId }, page), isNew: false }
  }
}

function toRun(due: DueCompanions, run: { id: string; agentId: string; input: NewMessage }): NewRun {
  return {
    organizationId: due.organization_id,
    thread: { agentId: run.agentId },
    runId: run.id,
    request: plainRequest(),
    // each companion has a message of its own
    input: [{ ...run.input, id: newOrderedId('message') }],
    background: true,
    userId: due.user_id ?? DEFAULT_USER_ID,
    metadata: {
      run_type: 'sleeptime_agent_send_message_async',
      group_id: due.group_id,
      main_run_id: due.main_run_id,
      main_agent_id: due.main_agent_id,
    },
    callbackUrl: null,
  }
}
