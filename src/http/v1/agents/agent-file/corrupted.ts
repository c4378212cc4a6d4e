import { type DomainError, invalidArgument } from '#platform/errors.ts'

/** A file that the caller must mend. Its first words are V1's. */
export const corrupted = (problem: string): DomainError => invalidArgument(`Corrupted agent file format. ${problem}`)
