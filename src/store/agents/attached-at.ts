/**
 * The time of attaching, as SQL, for the row at `position` of a statement: rows of one statement keep their order, in
 * whatever order the plan makes them, and also on PGlite, whose clock has only milliseconds.
 */
export const attachedAt = (position: string): string => `statement_timestamp() + ${position} * interval '1 microsecond'`
