import { notFound } from '#platform/errors.ts'

/** Two versions to be compared; there is no first one where the second is the first of all. */
export interface VersionPair<Version> {
  from: Version | undefined
  to: Version
}

/** `what` begins the error about a version that is not there. Throws not_found. */
export async function versionPair<Version extends { version: number }>(
  what: string,
  { version, from }: { version: number; from: number | undefined },
  find: (versions: readonly number[]) => Promise<Version[]>,
): Promise<VersionPair<Version>> {
  const rows = await find([version, from ?? version - 1])
  const get = (number: number) => rows.find((row) => row.version === number)
  const to = get(version)
  if (to === undefined) throw notFound(`${what} was not found, or has no version ${version}.`)
  if (from === undefined) return { from: get(version - 1), to }
  const other = get(from)
  if (other === undefined) throw notFound(`${what} has no version ${from}.`)
  return { from: other, to }
}
