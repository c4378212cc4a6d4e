import { conflict } from '#platform/errors.ts'

/** Throws conflict when a change was made for another version than the one that is there. */
export function checkVersion(what: string, current: number, expected: number | null | undefined): void {
  if (expected === null || expected === undefined || expected === current) return
  throw conflict(
    `${what} is at version ${current}, and the change was made for version ${expected}: nothing was changed. Read it, apply your change to what is there now, and send it with \`expected_version\` ${current}.`,
    { canRetry: false },
  )
}
