import { DomainError } from '#platform/errors.ts'
import type { WaitingThread } from '#store/runs/list-waiting-threads.ts'

export interface AdmissionOptions {
  /** Runs that this process works on at once. */
  maxActive: number
  /** Runs of one tenant that may wait, in all replicas together; all tenants together: ten times as many. */
  maxQueued: number
}

/** Background runs have at most this part of the room… */
const BACKGROUND_LIMIT = 0.8
/** …and at least this one where both kinds wait. */
const BACKGROUND_SHARE = 0.2
const TENANTS_FOR_LIMIT = 10
const RETRY_AFTER_SECONDS = 5

interface Kind {
  organization_id: string
  background: boolean
}

/**
 * Who may run in this process, and who must wait or be sent away. It knows what runs here, and guesses what waits: counts come
 * about once a second and what this process queues meanwhile is added, so accepting a run asks nobody. No promise hangs on it.
 */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #running = new Map<string, number>()
  #active = 0
  #background = 0
  #waiting = new Map<string, number>()
  #waitingTotal = 0
  /** What waits for room that this process has not: then what is new goes behind it. */
  backlog: 'none' | 'background' | 'any' = 'none'

  constructor(options: AdmissionOptions) {
    this.#options = options
  }

  get room(): number {
    return Math.max(this.#options.maxActive - this.#active, 0)
  }

  /** True while counts are worth being asked for. */
  get hasWaiting(): boolean {
    return this.#waitingTotal > 0
  }

  enter(run: Kind): void {
    this.#count(run, 1)
  }

  leave(run: Kind): void {
    this.#count(run, -1)
  }

  #count({ organization_id, background }: Kind, by: 1 | -1): void {
    const count = (this.#running.get(organization_id) ?? 0) + by
    if (count > 0) this.#running.set(organization_id, count)
    else this.#running.delete(organization_id)
    this.#active += by
    if (background) this.#background += by
  }

  /** False where a new run has to wait for room, or behind those that do. */
  canStart(isBackground: boolean): boolean {
    if (this.room === 0 || this.backlog === 'any') return false
    return !isBackground || (this.backlog === 'none' && this.#background < this.#backgroundLimit)
  }

  get #backgroundLimit(): number {
    return Math.max(Math.floor(this.#options.maxActive * BACKGROUND_LIMIT), 1)
  }

  /** Throws where so many wait that another one would only make it worse; nothing is stored of it. */
  refuseExcess(organizationId: string): void {
    const { maxQueued } = this.#options
    const own = this.#waiting.get(organizationId) ?? 0
    if (own < maxQueued && this.#waitingTotal < maxQueued * TENANTS_FOR_LIMIT) return
    const who = own < maxQueued ? 'The server has' : 'You have'
    throw new DomainError('unavailable', `${who} too many messages waiting to be answered. Send it again later.`, {
      retryAfterSeconds: RETRY_AFTER_SECONDS,
    })
  }

  /** A run was queued here. */
  noteQueued(organizationId: string): void {
    this.#waiting.set(organizationId, (this.#waiting.get(organizationId) ?? 0) + 1)
    this.#waitingTotal += 1
  }

  noteCounts(waiting: Map<string, number>): void {
    this.#waiting = waiting
    this.#waitingTotal = [...waiting.values()].reduce((sum, count) => sum + count, 0)
  }

  /**
   * Whose turn it is, of what waits: always the tenant that has the fewest runs here, within a tenant the oldest; what somebody
   * waits for goes before the background, which keeps a fifth of the room.
   */
  pick(threads: readonly WaitingThread[], limit: number): WaitingThread[] {
    const queues = { foreground: byTenant(threads, false), background: byTenant(threads, true) }
    const running = new Map(this.#running)
    const chosen: WaitingThread[] = []
    let background = this.#background
    const size = Math.min(limit, this.room)
    while (chosen.length < size) {
      const share = Math.floor(this.#options.maxActive * BACKGROUND_SHARE)
      const mayBackground = background < this.#backgroundLimit
      const order =
        background < share
          ? [queues.background, queues.foreground]
          : [queues.foreground, ...(mayBackground ? [queues.background] : [])]
      const queue = order.find((each) => each.size > 0)
      const next = queue === undefined ? undefined : takeFairly(queue, running)
      if (next === undefined) break
      chosen.push(next)
      if (next.background) background += 1
    }
    return chosen
  }
}

function byTenant(threads: readonly WaitingThread[], isBackground: boolean): Map<string, WaitingThread[]> {
  const queues = new Map<string, WaitingThread[]>()
  // newest first: they are taken from the end
  for (const thread of threads.toSorted((a, b) => b.queue_seq - a.queue_seq)) {
    if (thread.background !== isBackground) continue
    const queue = queues.get(thread.organization_id)
    if (queue === undefined) queues.set(thread.organization_id, [thread])
    else queue.push(thread)
  }
  return queues
}

/** Takes the oldest thread of the tenant that has the fewest runs, and counts it as running. */
function takeFairly(queues: Map<string, WaitingThread[]>, running: Map<string, number>): WaitingThread | undefined {
  let best: { tenant: string; count: number; seq: number } | undefined
  for (const [tenant, queue] of queues) {
    const count = running.get(tenant) ?? 0
    const seq = queue.at(-1)?.queue_seq ?? 0
    if (best === undefined || count < best.count || (count === best.count && seq < best.seq))
      best = { tenant, count, seq }
  }
  if (best === undefined) return undefined
  const queue = queues.get(best.tenant)
  const next = queue?.pop()
  if (queue?.length === 0) queues.delete(best.tenant)
  running.set(best.tenant, best.count + 1)
  return next
}
