import { nextCronTime } from '#agent/next-cron-time.ts'
import { errorMessage } from '#platform/errors.ts'
import { derivedId, newOrderedId } from '#platform/ids.ts'
import type { Logger } from '#platform/logger.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import type { Db } from '#store/db.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { advanceSchedule, claimSchedules } from '#store/schedules/claim-schedules.ts'
import { pruneSchedules } from '#store/schedules/delete-schedule.ts'
import type { DueSchedule } from '#store/schedules/schedule-row.ts'
import { startRunOnce } from './start-run-once.ts'
import { Ticker } from './ticker.ts'

const TICK_MS = 1_000
const CLAIM_SIZE = 16
/** To start a run; then another process tries. */
const CLAIM_MS = 5_000
/** How long a schedule that is done can still be read. */
const KEPT_MS = 7 * 86_400_000
const PRUNE_EVERY_MS = 3_600_000
const PRUNE_SIZE = 1000

export interface ScheduleStarterOptions {
  db: Db
  logger: Logger
  runs: Pick<RunEngine, 'start'>
}

/**
 * Starts the runs of schedules that are due, from every replica. The id of a run is made of the schedule and the time that it was
 * due at, so that no crash between its start and the note that it has started can make two. Times that nobody saw, because no
 * process ran, are made up for by one run.
 */
export class ScheduleStarter implements AsyncDisposable {
  readonly #options: ScheduleStarterOptions
  readonly #ticker: Ticker
  #prunedAt = 0

  constructor(options: ScheduleStarterOptions) {
    this.#options = options
    const work = () => this.startDue()
    this.#ticker = new Ticker({ logger: options.logger, name: 'starting schedules', everyMs: TICK_MS, work })
  }

  start(): void {
    this.#ticker.start()
  }

  /** Starts everything that is due now; gives how many runs of schedules were started. */
  async startDue(): Promise<number> {
    const { db } = this.#options
    let count = 0
    let claimed: DueSchedule[]
    do {
      claimed = await claimSchedules(db, CLAIM_SIZE, CLAIM_MS)
      await Promise.all(claimed.map((schedule) => this.#start(schedule)))
      count += claimed.length
    } while (claimed.length === CLAIM_SIZE)
    if (Date.now() - this.#prunedAt > PRUNE_EVERY_MS) {
      while ((await pruneSchedules(db, KEPT_MS, PRUNE_SIZE)) === PRUNE_SIZE);
      this.#prunedAt = Date.now()
    }
    return count
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#ticker[Symbol.asyncDispose]()
  }

  async #start(schedule: DueSchedule): Promise<void> {
    const { db, logger, runs } = this.#options
    const fields = { schedule_id: schedule.id, agent_id: schedule.agent_id }
    try {
      const run = toRun(schedule)
      const hasStarted = await startRunOnce(runs, run)
      await advanceSchedule(db, schedule, run.runId, hasStarted ? nextTime(schedule) : undefined)
      logger.info({ ...fields, run_id: run.runId, due_at: schedule.next_due_at }, 'run of a schedule started')
    } catch (error) {
      logger.warn({ ...fields, error: errorMessage(error) }, 'run of a schedule not started; tried again soon')
    }
  }
}

function toRun(schedule: DueSchedule): NewRun {
  const dueAt = schedule.next_due_at.toISOString()
  return {
    organizationId: schedule.organization_id,
    thread: { agentId: schedule.agent_id },
    runId: derivedId('run', `${schedule.id} ${dueAt}`),
    request: schedule.request,
    input: schedule.input.map((message) => ({ ...message, id: newOrderedId('message') })),
    background: true,
    userId: schedule.created_by_id,
    metadata: { run_type: 'scheduled_message', schedule_id: schedule.id, scheduled_for: dueAt },
    callbackUrl: schedule.callback_url,
  }
}

/** The first time that is still to come: those that were missed are done with the run that has just started. */
function nextTime({ cron_expression, timezone, next_due_at }: DueSchedule): Date | undefined {
  if (cron_expression === null) return undefined
  return nextCronTime(cron_expression, timezone, new Date(Math.max(Date.now(), next_due_at.getTime())))
}
