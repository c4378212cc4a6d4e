import { notFound } from '#platform/errors.ts'
import type { Author } from '#store/author.ts'
import type { Queryable } from '#store/db.ts'
import type { PassageRow } from '#store/passages/passage-row.ts'
import { findPassageVersions, type PassageVersionRow } from '#store/passages/passage-version-reader.ts'
import { modifyPassage } from './modify-passage.ts'
import { type VersionPair, versionPair } from './version-pair.ts'

type WholeVersion = PassageVersionRow & { text: string }

/** A version with its text. Throws not_found. */
export async function getPassageVersion(
  db: Queryable,
  organizationId: string,
  passageId: string,
  version: number,
): Promise<WholeVersion> {
  const [row] = await findPassageVersions(db, organizationId, passageId, [version])
  if (row === undefined) throw notFound(`Passage ${passageId} was not found, or has no version ${version}.`)
  return row
}

/** A version and the one that it is compared with: the one before it when none is named. Throws not_found. */
export async function comparePassageVersions(
  db: Queryable,
  organizationId: string,
  passageId: string,
  asked: { version: number; from: number | undefined },
): Promise<VersionPair<WholeVersion>> {
  const find = (versions: readonly number[]) => findPassageVersions(db, organizationId, passageId, versions)
  return versionPair(`Passage ${passageId}`, asked, find)
}

/**
 * Gives a passage the text, tags and metadata of one of its versions, as a new version. Throws what `modifyPassage` throws, and not_found
 * where there is no such version.
 */
export async function restorePassage(
  db: Queryable,
  organizationId: string,
  passageId: string,
  wanted: { version: number; expectedVersion?: number | null | undefined; allowDuplicate?: boolean | null | undefined },
  author: Author,
): Promise<PassageRow> {
  const { text, tags, metadata } = await getPassageVersion(db, organizationId, passageId, wanted.version)
  const { expectedVersion, allowDuplicate } = wanted
  return modifyPassage(db, organizationId, passageId, { text, tags, metadata, expectedVersion, allowDuplicate }, author)
}
