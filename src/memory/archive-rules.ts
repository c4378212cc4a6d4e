import { unprocessable } from '#platform/errors.ts'

/** Throws unprocessable for a name that nobody could read. */
export function checkArchiveName(name: string): void {
  if (name.trim() === '') throw unprocessable('The name of an archive must not be empty.')
}
