import { type Queryable, statement } from '#store/db.ts'

export interface ProjectRow {
  id: string
  name: string
  slug: string
  is_default: boolean
}

const COLUMNS = 'p.id, p.name, p.slug, p.is_default'

const LIST = statement(
  'list-projects',
  `select ${COLUMNS} from projects as p
   where p.organization_id = $1 and ($2::text is null or p.name ilike $2)
   order by p.created_at desc, p.id desc limit $3 offset $4`,
)

/** The newest first; `namePattern` is one of LIKE. */
export function listProjects(
  db: Queryable,
  organizationId: string,
  page: { namePattern: string | undefined; limit: number; offset: number },
): Promise<ProjectRow[]> {
  return db.query<ProjectRow>(LIST, [organizationId, page.namePattern ?? null, page.limit, page.offset])
}

// with null the default one
const FIND = statement(
  'find-project',
  `select ${COLUMNS} from projects as p
   where p.organization_id = $1 and case when $2::text is null then p.is_default else p.id = $2 or p.slug = $2 end`,
)

/** By id or by slug; the default one with null. */
export async function findProject(
  db: Queryable,
  organizationId: string,
  idOrSlug: string | null,
): Promise<ProjectRow | undefined> {
  const [row] = await db.query<ProjectRow>(FIND, [organizationId, idOrSlug])
  return row
}

const INSERT = statement(
  'insert-project',
  `insert into projects as p (organization_id, id, name, slug) values ($1, $2, $3, $4)
   on conflict (organization_id, slug) do nothing returning ${COLUMNS}`,
)

/** Undefined where the slug is taken. */
export async function insertProject(
  db: Queryable,
  organizationId: string,
  project: Pick<ProjectRow, 'id' | 'name' | 'slug'>,
): Promise<ProjectRow | undefined> {
  const [row] = await db.query<ProjectRow>(INSERT, [organizationId, project.id, project.name, project.slug])
  return row
}

const DELETE = statement(
  'delete-project',
  'delete from projects where organization_id = $1 and id = $2 and not is_default returning id',
)

/** With its templates; what else names it stays. False where there is none, or it is the default one. */
export async function deleteProject(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  return (await db.query(DELETE, [organizationId, id])).length > 0
}
