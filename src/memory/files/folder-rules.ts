import { conflict, unprocessable } from '#platform/errors.ts'
import { isUniqueViolation } from '#store/database-error.ts'

/** Names are keys of an index, whose entries hold 2.7 kB. */
const MAX_NAME_LENGTH = 255

/** Throws unprocessable for a name that cannot be one. */
export function checkFolderName(name: string): void {
  if (name.trim() === '') throw unprocessable('The name of a folder must not be empty.')
  if (name.length > MAX_NAME_LENGTH) {
    throw unprocessable(`The name of a folder has ${name.length} characters; use ${MAX_NAME_LENGTH} or fewer.`)
  }
}

/** What to throw where a write failed: conflict when the name is taken. */
export function folderProblem(error: unknown, name: string): unknown {
  if (!isUniqueViolation(error)) return error
  return conflict(`A folder named '${name}' exists already. Choose another name.`, { canRetry: false })
}
