import { type Queryable, statement } from '#store/db.ts'

/** A tool that the server executes itself, as it is stored. */
export interface BuiltinToolToStore {
  /** Used only where the organisation does not have the tool yet. */
  id: string
  name: string
  tool_type: string
  description: string
  /** `{name, description, parameters}`. */
  json_schema: Record<string, unknown>
  tags: readonly string[]
}

const COUNT_BUILTIN_TOOLS = statement(
  'count-builtin-tools',
  'select count(*) as count from tools as t where t.organization_id = $1 and t.name = any($2::text[])',
)

/** How many of these names the organisation has tools for. */
export async function countToolsByName(
  db: Queryable,
  organizationId: string,
  names: readonly string[],
): Promise<number> {
  const [row] = await db.query<{ count: number }>(COUNT_BUILTIN_TOOLS, [organizationId, names])
  return row?.count ?? 0
}

// Rows are locked in the order of names, so that servers that start together do not deadlock. A person's own tool of the
// same name (`custom`) is left alone, and so is a row that is up to date already.
const UPSERT_BUILTIN_TOOLS = statement(
  'upsert-builtin-tools',
  `insert into tools as t (organization_id, id, name, tool_type, description, json_schema, tags, created_at)
  select $1, n.id, n.name, n.tool_type, n.description, n.json_schema, n.tags, clock_timestamp()
  from jsonb_to_recordset($2::jsonb) as n (id text, name text, tool_type text, description text, json_schema jsonb, tags text[])
  order by n.name
  on conflict (organization_id, name) do update set tool_type = excluded.tool_type, description = excluded.description,
    json_schema = excluded.json_schema, tags = excluded.tags, updated_at = now()
  where t.tool_type <> 'custom' and (t.tool_type, t.description, t.json_schema, t.tags)
    is distinct from (excluded.tool_type, excluded.description, excluded.json_schema, excluded.tags)
  returning t.name`,
)

/** Stores the tools that are missing or differ from what is given; gives the names of those. */
export async function upsertBuiltinTools(
  db: Queryable,
  organizationId: string,
  tools: readonly BuiltinToolToStore[],
): Promise<string[]> {
  const rows = await db.query<{ name: string }>(UPSERT_BUILTIN_TOOLS, [organizationId, JSON.stringify(tools)])
  return rows.map((row) => row.name)
}
