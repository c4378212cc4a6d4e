import type { Statement } from '#store/db.ts'

interface Claim {
  owner: string
  /** When the database's answer came. */
  at: number
}

/**
 * What the database was asked and what it answered, in one order over all processes: also answers that the process never got.
 * Tells at once when two processes have one lease, or a write counts although its lease was lost before it was sent.
 */
export class Journal {
  readonly violations: string[] = []
  /** By run, then by token. */
  readonly #claims = new Map<string, Map<number, Claim>>()
  /** When a batch of events was sent for the first time, by run and first number. */
  readonly #batchSentAt = new Map<string, number>()
  /** Owner and run of writes that changed nothing. */
  readonly refusals = new Set<string>()
  refusedWrites = 0
  takeOvers = 0
  claims = 0
  #moment = 0

  /** Before a statement is sent; gives what to call with its answer. */
  send(
    { name: fullName, text }: Statement,
    params: readonly unknown[],
    owner: string,
  ): (rows: readonly object[]) => void {
    // what stands behind the `#` says which parts of the statement there are
    const [name = ''] = fullName.split('#')
    this.#moment += 1
    const sentAt = this.#moment
    if (name === 'start-run' || name === 'start-run-in-conversation') {
      return ([row]) => {
        if (row !== undefined && 'is_active' in row && row.is_active === true) this.#claim(row, owner)
      }
    }
    if (name === 'claim-next-run' || name === 'take-over-runs') {
      return (rows) => {
        if (name === 'take-over-runs') this.takeOvers += rows.length
        for (const row of rows) this.#claim(row, owner)
      }
    }
    if (name === 'append-run-events') {
      const [, runIds, , firstSeqs] = params as [unknown, string[], unknown, number[]]
      for (const [index, runId] of runIds.entries()) this.#noteBatch(runId, firstSeqs[index] ?? 0, sentAt)
    }
    if (name !== 'advance-run' && name !== 'commit-tool-result') return () => {}
    const { runId, token, batches } = readFencedWrite(text, params)
    for (const { first_seq } of batches) this.#noteBatch(runId, first_seq, sentAt)
    return ([row]) => {
      const outcome = row !== undefined && 'outcome' in row ? row.outcome : 'committed'
      if (row === undefined || outcome === 'lease-lost') {
        this.refusedWrites += 1
        this.refusals.add(`${owner} ${runId}`)
      } else if (outcome === 'committed') this.#checkWrite(name, { runId, token, owner, sentAt })
    }
  }

  /** True where the first attempt to store the batch came after the lease of its writer was lost. */
  isBatchLate(runId: string, token: number, firstSeq: number): boolean {
    const sentAt = this.#batchSentAt.get(`${runId} ${firstSeq}`)
    const next = this.#claims.get(runId)?.get(token + 1)
    return sentAt !== undefined && next !== undefined && next.at < sentAt
  }

  #noteBatch(runId: string, firstSeq: number, sentAt: number): void {
    const key = `${runId} ${firstSeq}`
    if (!this.#batchSentAt.has(key)) this.#batchSentAt.set(key, sentAt)
  }

  #claim(row: object, owner: string): void {
    const { id, lease_token: token } = row as { id: string; lease_token: number }
    const claims = this.#claims.get(id) ?? new Map<number, Claim>()
    this.#claims.set(id, claims)
    const other = claims.get(token)
    if (other !== undefined) this.violations.push(`${id}: token ${token} was given to ${other.owner} and to ${owner}`)
    this.#moment += 1
    this.claims += 1
    claims.set(token, { owner, at: this.#moment })
  }

  #checkWrite(name: string, write: { runId: string; token: number; owner: string; sentAt: number }): void {
    const { runId, token, owner, sentAt } = write
    const claims = this.#claims.get(runId)
    const holder = claims?.get(token)
    if (holder !== undefined && holder.owner !== owner) {
      this.violations.push(`${runId}: ${owner} wrote ${name} with token ${token} of ${holder.owner}`)
    }
    const next = claims?.get(token + 1)
    if (next !== undefined && next.at < sentAt) {
      this.violations.push(`${runId}: ${owner} wrote ${name} with token ${token} after ${next.owner} had taken over`)
    }
  }
}

/** What a write of the loop names: its run, the fencing token, and the events that it stores. */
function readFencedWrite(text: string, params: readonly unknown[]) {
  const parameter = (place: RegExp): unknown => params[Number(place.exec(text)?.[1] ?? Number.NaN) - 1]
  const events = parameter(/jsonb_to_recordset\(\$(\d+)::jsonb\) as e \(first_seq/)
  return {
    runId: parameter(/r\.id = \$(\d+)/) as string,
    token: parameter(/r\.lease_token = \$(\d+)/) as number,
    batches: events === undefined ? [] : (JSON.parse(events as string) as { first_seq: number }[]),
  }
}
