import { errorMessage } from '#platform/errors.ts'
import { type Queryable, statement } from '#store/db.ts'

/** What a PostgreSQL is, as far as it matters here. */
export interface DatabaseDescription {
  /** Major version of PostgreSQL. */
  version: number
  /** Version of pgvector in this database, or the one that could be had; null where there is none. */
  vector_version: string | null
}

const DESCRIBE = statement(
  'describe-database',
  `select current_setting('server_version_num')::int / 10000 as version, coalesce(
    (select e.extversion from pg_extension as e where e.extname = 'vector'),
    (select a.default_version from pg_available_extensions as a where a.name = 'vector')) as vector_version`,
)

/** Throws what keeps the database from answering. */
export async function describeDatabase(db: Queryable): Promise<DatabaseDescription> {
  const [row] = await db.query<DatabaseDescription>(DESCRIBE)
  if (row === undefined) throw new Error('describe-database returned no row')
  return row
}

/** What such a database lacks for the server to start, and what to do; undefined where it lacks nothing. */
export function lackOf({ version, vector_version: vector }: DatabaseDescription): string | undefined {
  if (version < 15) return `PostgreSQL ${version}: 15 or newer is needed`
  const [major = 0, minor = 0] = (vector ?? '').split('.').map(Number)
  if (major > 0 || minor >= 8) return undefined
  const has = vector === null ? 'no pgvector' : `pgvector ${vector}`
  const lack = `PostgreSQL ${version} with ${has}: 0.8 or newer is needed. Install it beside PostgreSQL, such as the package postgresql-${version}-pgvector`
  return vector === null ? `${lack}.` : `${lack}, and run "alter extension vector update" in this database.`
}

/** Why a database cannot be reached, for whoever set it up: that it may come back by itself is advice for clients. */
export const whyUnreachable = (error: unknown): string => errorMessage(error).replace(/; try again in a moment$/, '')
