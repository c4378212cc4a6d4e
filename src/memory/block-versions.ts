import { notFound } from '#platform/errors.ts'
import type { Author } from '#store/author.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import { type BlockVersionRow, findBlockVersions } from '#store/blocks/block-version-reader.ts'
import type { Queryable } from '#store/db.ts'
import { modifyBlock } from './modify-block.ts'
import { type VersionPair, versionPair } from './version-pair.ts'

type WholeVersion = BlockVersionRow & { value: string }

/** A version with its value. Throws not_found. */
export async function getBlockVersion(
  db: Queryable,
  organizationId: string,
  blockId: string,
  version: number,
): Promise<WholeVersion> {
  const [row] = await findBlockVersions(db, organizationId, blockId, [version])
  if (row === undefined) throw notFound(`Block ${blockId} was not found, or has no version ${version}.`)
  return row
}

/** A version and the one that it is compared with: the one before it when none is named. Throws not_found. */
export async function compareBlockVersions(
  db: Queryable,
  organizationId: string,
  blockId: string,
  asked: { version: number; from: number | undefined },
): Promise<VersionPair<WholeVersion>> {
  return versionPair(`Block ${blockId}`, asked, (versions) => findBlockVersions(db, organizationId, blockId, versions))
}

/**
 * Gives a block the label, description and value of one of its versions, as a new version. Throws what `modifyBlock` throws, and not_found
 * where there is no such version.
 */
export async function restoreBlock(
  db: Queryable,
  organizationId: string,
  blockId: string,
  wanted: { version: number; expectedVersion?: number | null | undefined },
  author: Author,
): Promise<BlockRow> {
  const { label, description, value } = await getBlockVersion(db, organizationId, blockId, wanted.version)
  const change = { label, description, value, expected_version: wanted.expectedVersion }
  return modifyBlock(db, organizationId, blockId, change, author)
}
