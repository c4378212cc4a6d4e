/** Events of one run that follow each other, as a row of `run_events`. */
export interface EventBatch {
  first_seq: number
  last_seq: number
  /** JSON text; see `runs/encode-events.ts`. */
  events: string
}

/** CTE text that logs `EventBatch[]` (a JSON array) where the relation `from` has its row; a batch that is there stays as it is. */
export function loggedEvents(source: { from: string; json: string; organizationId: string; runId: string }): string {
  return `insert into run_events (organization_id, run_id, first_seq, last_seq, events)
  select ${source.organizationId}, ${source.runId}, e.first_seq, e.last_seq, e.events
  from ${source.from} cross join jsonb_to_recordset(${source.json}) as e (first_seq bigint, last_seq bigint, events text)
  on conflict do nothing`
}
