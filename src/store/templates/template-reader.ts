import { sql } from 'kysely'
import { allOf } from '#store/all-of.ts'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import { containsPattern } from '#store/contains-pattern.ts'
import { type Queryable, statement } from '#store/db.ts'
import { TEMPLATE_COLUMNS, type TemplateRow, type TemplateSnapshot, type TemplateVersionRow } from './template-row.ts'

const FROM = 'templates as t join projects as p on p.organization_id = t.organization_id and p.id = t.project_id'

const FIND = statement(
  'find-template',
  `select ${TEMPLATE_COLUMNS} from ${FROM} where t.organization_id = $1 and t.project_id = $2 and t.name = $3`,
)

export async function findTemplate(
  db: Queryable,
  organizationId: string,
  projectId: string,
  name: string,
): Promise<TemplateRow | undefined> {
  const [row] = await db.query<TemplateRow>(FIND, [organizationId, projectId, name])
  return row
}

/** Every condition that is given must hold. */
export interface TemplateFilter {
  id?: string | undefined
  name?: string | undefined
  /** Part of the name, in any case. */
  search?: string | undefined
  projectId?: string | undefined
  projectSlug?: string | undefined
}

export async function listTemplates(
  db: Queryable,
  organizationId: string,
  filter: TemplateFilter,
  page: { limit: number; offset: number; sortBy: 'updated_at' | 'created_at' },
): Promise<TemplateRow[]> {
  const conditions = allOf(
    sql`t.organization_id = ${organizationId}`,
    filter.id !== undefined && sql`t.id = ${filter.id}`,
    filter.name !== undefined && sql`t.name = ${filter.name}`,
    filter.search !== undefined && sql`t.name ilike ${containsPattern(filter.search)}`,
    filter.projectId !== undefined && sql`t.project_id = ${filter.projectId}`,
    filter.projectSlug !== undefined && sql`p.slug = ${filter.projectSlug}`,
  )
  const query = sql`select ${sql.raw(TEMPLATE_COLUMNS)} from ${sql.raw(FROM)} where ${conditions}
    order by ${sql.ref(`t.${page.sortBy}`)} desc, t.id desc limit ${page.limit} offset ${page.offset}`
  return db.query<TemplateRow>(...toStatement('list-templates', query.compile(sqlBuilder)))
}

const LIST_VERSIONS = statement(
  'list-template-versions',
  `select v.version, v.message, v.created_at from template_versions as v
   where v.organization_id = $1 and v.template_id = $2 order by v.version desc limit $3 offset $4`,
)

/** The newest first. Versions are numbered without gaps, so that the newest one's number is their count. */
export function listTemplateVersions(
  db: Queryable,
  organizationId: string,
  templateId: string,
  page: { limit: number; offset: number },
): Promise<TemplateVersionRow[]> {
  return db.query<TemplateVersionRow>(LIST_VERSIONS, [organizationId, templateId, page.limit, page.offset])
}

const FIND_CURRENT = statement(
  'find-template-current',
  'select t.snapshot, t.id from templates as t where t.organization_id = $1 and t.id = $2',
)
const FIND_VERSION = statement(
  'find-template-version',
  `select v.snapshot, v.id from template_versions as v
   where v.organization_id = $1 and v.template_id = $2 and v.version = $3`,
)

/** The contents of a saved version, or of the one under work; `id` is what agents made of it name. */
export async function findTemplateSnapshot(
  db: Queryable,
  organizationId: string,
  templateId: string,
  version: number | 'current',
): Promise<{ snapshot: TemplateSnapshot; id: string } | undefined> {
  const [row] =
    version === 'current'
      ? await db.query<{ snapshot: TemplateSnapshot; id: string }>(FIND_CURRENT, [organizationId, templateId])
      : await db.query<{ snapshot: TemplateSnapshot; id: string }>(FIND_VERSION, [organizationId, templateId, version])
  return row
}

const LIST_DEPLOYMENTS = statement(
  'list-template-deployments',
  `select d.id from template_deployments as d
   where d.organization_id = $1 and d.template_id = $2 and d.id > $3 order by d.id limit $4`,
)

/** Ids after the one given, in order. */
export async function listDeployments(
  db: Queryable,
  organizationId: string,
  templateId: string,
  page: { after: string; limit: number },
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(LIST_DEPLOYMENTS, [organizationId, templateId, page.after, page.limit])
  return rows.map((row) => row.id)
}

const LIST_AGENTS = statement(
  'list-deployed-agents',
  `select a.id from agents as a
   where a.organization_id = $1 and a.deployment_id = $2 and a.entity_id = $3 order by a.id`,
)

/** The agents of a deployment that are this entity of the template. */
export async function listDeployedAgents(
  db: Queryable,
  organizationId: string,
  deploymentId: string,
  entityId: string,
): Promise<string[]> {
  const rows = await db.query<{ id: string }>(LIST_AGENTS, [organizationId, deploymentId, entityId])
  return rows.map((row) => row.id)
}
