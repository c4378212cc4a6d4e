import type pg from 'pg'

/** Ends a connection without a goodbye, for which nobody may be there any more. What waits for an answer fails. */
export function hangUp(client: pg.ClientBase): void {
  // public in `pg`, but unknown to its types
  const { connection } = client as unknown as { connection: pg.Connection }
  connection.stream.destroy()
}
