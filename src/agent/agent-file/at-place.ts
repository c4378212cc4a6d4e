import { DomainError, type ErrorKind, invalidArgument } from '#platform/errors.ts'

/** What a file can be at fault for; the rest (no database, no key) is told as it is. */
const FAULTS_OF_FILE: readonly ErrorKind[] = ['invalid_argument', 'unprocessable', 'not_found', 'conflict', 'too_large']

/** Does `work`; where the file is at fault, throws invalid_argument that says in which part of it. */
export async function atPlace<Result>(place: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof DomainError) || !FAULTS_OF_FILE.includes(error.kind)) throw error
    throw invalidArgument(`${place}: ${error.message.replace(/^INVALID_ARGUMENT: /, '')}`)
  }
}
