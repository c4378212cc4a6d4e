import type { GroupRow } from '#store/groups/group-row.ts'
import type { GroupWire } from './group-schema.ts'

/** A stored group as the wire shows it. */
export function presentGroup(row: GroupRow): GroupWire {
  const { created_at: _, ...group } = row
  return group
}
