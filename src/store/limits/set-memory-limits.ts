import { type Queryable, statement } from '#store/db.ts'

/** What agents may have at most; 0: no limit. The names are those in the table. */
export interface MemoryLimits {
  archive_passages: number
  archive_bytes: number
  agent_blocks: number
  agent_folders: number
  folder_files: number
}

const SET_LIMITS = statement(
  'set-memory-limits',
  `insert into memory_limits as l (organization_id, name, value)
   select $1, n.key, n.value::bigint from jsonb_each_text($2::jsonb) as n
   on conflict (organization_id, name) do update set value = excluded.value where l.value <> excluded.value`,
)

/** Of an organisation, before those of the server. */
export async function setMemoryLimits(
  db: Queryable,
  organizationId: string,
  limits: Partial<MemoryLimits>,
): Promise<void> {
  await db.query(SET_LIMITS, [organizationId, JSON.stringify(limits)])
}

/** Of all organisations that have none of their own. */
export const setServerLimits = (db: Queryable, limits: MemoryLimits): Promise<void> => setMemoryLimits(db, '', limits)
