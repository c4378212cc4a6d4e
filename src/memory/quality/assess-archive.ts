import { createHash } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { invalidArgument } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { hasPassage, listPassagesToAssess, type PassageToAssess } from '#store/passages/list-passages-to-assess.ts'
import { COMPARED_CHARS, type NearDuplicate, NearDuplicateFinder, normalizeText } from './near-duplicates.ts'

export interface AssessmentRequest {
  /** Passages that are looked at; 1 or more. */
  limit: number
  /** Looks at those behind this one. */
  after: string | undefined
  /** Of each kind of finding so many are given, those that matter most; all are counted. */
  top: number
  staleDays: number
}

/** A part of an archive, the oldest passages first, looked at for what might be put in order. */
export interface Assessment {
  examined: number
  /** Where the next part begins; null at the end. */
  nextAfter: string | null
  /** How many passages say what an earlier one says, and which say the same, the largest groups first. */
  duplicates: { count: number; groups: PassageToAssess[][] }
  nearDuplicates: { count: number; pairs: NearDuplicate<PassageToAssess>[] }
  neverRetrieved: { count: number; passages: PassageToAssess[] }
  /** Stored and last retrieved longer ago than that. */
  stale: { count: number; passages: PassageToAssess[] }
  /** The most frequent first. */
  tags: { tag: string; count: number }[]
  untaggedCount: number
}

const AT_ONCE = 500
const DAY_MS = 24 * 3_600_000
/** Passages between two pauses, in which the server does other things. */
const BETWEEN_PAUSES = 10

let last: Promise<unknown> = Promise.resolve()

/**
 * Looks through an archive for duplicates, near-duplicates, passages that no search has given, stale ones, and its tags. Takes time and memory in proportion
 * to `limit` and nothing else; one at a time in a process. Throws invalid_argument for a passage to begin after that the archive has not.
 */
export function assessArchive(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  request: AssessmentRequest,
): Promise<Assessment> {
  const assessing = last.then(() => assess(db, organizationId, archiveId, request))
  last = assessing.catch(() => undefined)
  return assessing
}

async function assess(
  db: Queryable,
  organizationId: string,
  archiveId: string,
  { limit, after, top, staleDays }: AssessmentRequest,
): Promise<Assessment> {
  if (after !== undefined && !(await hasPassage(db, organizationId, archiveId, after))) {
    throw invalidArgument(
      `INVALID_ARGUMENT: after: the archive has no passage ${after}. Use next_after of the part before, or begin anew.`,
    )
  }
  const staleBefore = Date.now() - staleDays * DAY_MS
  const groups = new Map<string, PassageToAssess[]>()
  const finder = new NearDuplicateFinder<PassageToAssess>()
  const near: NearDuplicate<PassageToAssess>[] = []
  const never: PassageToAssess[] = []
  const stale: PassageToAssess[] = []
  const tags = new Map<string, number>()
  const counts = { examined: 0, duplicates: 0, near: 0, never: 0, stale: 0, untagged: 0 }
  let cursor = after
  let isAtEnd = false
  while (counts.examined < limit && !isAtEnd) {
    const page = { after: cursor, chars: COMPARED_CHARS, limit: Math.min(AT_ONCE, limit - counts.examined) }
    const rows = await listPassagesToAssess(db, organizationId, archiveId, page)
    isAtEnd = rows.length < page.limit
    for (const row of rows) {
      counts.examined += 1
      cursor = row.id
      for (const tag of row.tags) tags.set(tag, (tags.get(tag) ?? 0) + 1)
      if (row.tags.length === 0) counts.untagged += 1
      if (row.last_retrieved_at === null) {
        counts.never += 1
        // they come the oldest first
        if (never.length < top) never.push(row)
      }
      if (Math.max(row.created_at.getTime(), row.last_retrieved_at?.getTime() ?? 0) < staleBefore) {
        counts.stale += 1
        if (stale.length < top) stale.push(row)
      }
      const normalized = normalizeText(row.text)
      if (row.is_whole) {
        const key = createHash('sha1').update(normalized).digest('base64')
        const group = groups.get(key)
        if (group === undefined) groups.set(key, [row])
        else {
          counts.duplicates += 1
          group.push(row)
          continue
        }
      }
      const found = finder.add(row, normalized)
      if (found !== undefined) {
        counts.near += 1
        keepBest(near, found, top)
      }
      if (counts.examined % BETWEEN_PAUSES === 0) await nextTurn()
    }
  }
  return {
    examined: counts.examined,
    nextAfter: isAtEnd ? null : (cursor ?? null),
    duplicates: { count: counts.duplicates, groups: largest(groups.values(), top) },
    nearDuplicates: { count: counts.near, pairs: near },
    neverRetrieved: { count: counts.never, passages: never },
    stale: { count: counts.stale, passages: stale },
    tags: [...tags]
      .map(([tag, count]) => ({ tag, count }))
      .sort((a, b) => b.count - a.count || (a.tag < b.tag ? -1 : 1))
      .slice(0, top),
    untaggedCount: counts.untagged,
  }
}

function keepBest<Passage>(pairs: NearDuplicate<Passage>[], found: NearDuplicate<Passage>, top: number): void {
  if (pairs.length === top && (pairs.at(-1)?.similarity ?? 0) >= found.similarity) return
  pairs.push(found)
  pairs.sort((a, b) => b.similarity - a.similarity)
  if (pairs.length > top) pairs.pop()
}

const largest = (groups: Iterable<PassageToAssess[]>, top: number): PassageToAssess[][] =>
  [...groups]
    .filter((group) => group.length > 1)
    .sort((a, b) => b.length - a.length)
    .slice(0, top)
