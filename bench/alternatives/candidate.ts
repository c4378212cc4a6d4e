import type { Db } from '#store/db.ts'

/** Something that could look after durable turns, open and at work in this process. */
export interface Candidate extends AsyncDisposable {
  /** Accepts a message for the agent and resolves when its turn has ended. */
  turn(agentId: string, runId: string): Promise<void>
}

export interface CandidateOptions {
  db: Db
  databaseUrl: string
  /** Name of this process, where the candidate wants one. */
  processName: string
  /** What the model does; it answers at once, or never. */
  model: () => Promise<void>
  /** Most turns at the same time. */
  concurrency: number
  /** Of Restate's server and of the service that it calls. */
  restate: { ingressUrl: string; adminUrl: string; servicePort: number }
}

export type OpenCandidate = (options: CandidateOptions) => Promise<Candidate>

/** Who waits in this process for the ends of turns that a worker of this process takes. */
export class TurnEnds {
  readonly #waiting = new Map<string, () => void>()

  wait(runId: string): Promise<void> {
    return new Promise((resolve) => this.#waiting.set(runId, resolve))
  }

  tell(runId: string): void {
    this.#waiting.get(runId)?.()
    this.#waiting.delete(runId)
  }
}
