import { type Queryable, statement } from '#store/db.ts'
import type { TemplateSnapshot } from './template-row.ts'

export interface NewTemplate {
  id: string
  projectId: string
  name: string
  description: string | null
  snapshot: TemplateSnapshot
  /** Of its first version. */
  versionId: string
  userId: string
}

const INSERT = statement(
  'insert-template',
  `with template as (
    insert into templates (organization_id, id, project_id, name, description, snapshot, base_version, latest_version,
      created_by_id, last_updated_by_id)
    values ($1, $2, $3, $4, $5, $6::jsonb, 1, 1, $8, $8) returning id
  )
  insert into template_versions (organization_id, template_id, version, id, snapshot, created_by_id)
  select $1, template.id, 1, $7, $6::jsonb, $8 from template`,
)

/** With its first version. Throws a unique violation where the project has a template of this name. */
export async function insertTemplate(db: Queryable, organizationId: string, template: NewTemplate): Promise<void> {
  const { id, projectId, name, description, snapshot, versionId, userId } = template
  const parameters = [organizationId, id, projectId, name, description, JSON.stringify(snapshot), versionId, userId]
  await db.query(INSERT, parameters)
}

const LOCK = statement(
  'lock-template',
  `select t.latest_version, t.snapshot, t.snapshot is distinct from v.snapshot as is_changed from templates as t
   left join template_versions as v on v.organization_id = t.organization_id and v.template_id = t.id and v.version = t.base_version
   where t.organization_id = $1 and t.id = $2 for update of t`,
)

export interface LockedTemplate {
  latest_version: number
  snapshot: TemplateSnapshot
  /** True where the version under work is not the saved one that it began as. */
  is_changed: boolean
}

/** The template's row, locked until the end of the transaction. */
export async function lockTemplate(
  tx: Queryable,
  organizationId: string,
  id: string,
): Promise<LockedTemplate | undefined> {
  const [row] = await tx.query<LockedTemplate>(LOCK, [organizationId, id])
  return row
}

const SAVE = statement(
  'save-template-version',
  `with template as (
    update templates as t set latest_version = t.latest_version + 1, base_version = t.latest_version + 1,
      updated_at = now(), last_updated_by_id = $5
    where t.organization_id = $1 and t.id = $2 returning t.id, t.latest_version, t.snapshot
  )
  insert into template_versions as v (organization_id, template_id, version, id, snapshot, message, created_by_id)
  select $1, template.id, template.latest_version, $3, template.snapshot, $4, $5 from template
  returning v.version`,
)

/** Saves the version under work as the next one; gives its number. */
export async function saveTemplateVersion(
  tx: Queryable,
  organizationId: string,
  id: string,
  version: { id: string; message: string | null; userId: string },
): Promise<number> {
  const [row] = await tx.query<{ version: number }>(SAVE, [
    organizationId,
    id,
    version.id,
    version.message,
    version.userId,
  ])
  if (row === undefined) throw new Error('save-template-version returned no row')
  return row.version
}

const SET_SNAPSHOT = statement(
  'set-template-snapshot',
  `update templates set snapshot = $3::jsonb, base_version = coalesce($4, base_version), updated_at = now(), last_updated_by_id = $5
   where organization_id = $1 and id = $2`,
)

/** Changes the version under work; `baseVersion` says which saved one it is now the same as. */
export async function setTemplateSnapshot(
  tx: Queryable,
  organizationId: string,
  id: string,
  change: { snapshot: TemplateSnapshot; baseVersion: number | null; userId: string },
): Promise<void> {
  const { snapshot, baseVersion, userId } = change
  await tx.query(SET_SNAPSHOT, [organizationId, id, JSON.stringify(snapshot), baseVersion, userId])
}

const SET_NAME = statement(
  'set-template-name',
  'update templates set name = $3, updated_at = now(), last_updated_by_id = $4 where organization_id = $1 and id = $2',
)
const SET_DESCRIPTION = statement(
  'set-template-description',
  'update templates set description = $3, updated_at = now(), last_updated_by_id = $4 where organization_id = $1 and id = $2',
)

/** Throws a unique violation where the project has another template of this name. */
export async function setTemplateText(
  db: Queryable,
  organizationId: string,
  id: string,
  change: ({ name: string } | { description: string | null }) & { userId: string },
): Promise<void> {
  const [text, value] = 'name' in change ? [SET_NAME, change.name] : [SET_DESCRIPTION, change.description]
  await db.query(text, [organizationId, id, value, change.userId])
}

const DELETE = statement('delete-template', 'delete from templates where organization_id = $1 and id = $2 returning id')

/** With all its versions; agents that were made of it stay. False where there is none. */
export async function deleteTemplate(db: Queryable, organizationId: string, id: string): Promise<boolean> {
  return (await db.query(DELETE, [organizationId, id])).length > 0
}

type Variables = Record<string, string>

const INSERT_DEPLOYMENT = statement(
  'insert-template-deployment',
  'insert into template_deployments (organization_id, id, template_id, memory_variables) values ($1, $2, $3, $4::jsonb)',
)

/** Throws a foreign key violation where the template was deleted meanwhile. */
export async function insertDeployment(
  tx: Queryable,
  organizationId: string,
  deployment: { id: string; templateId: string; variables: Variables },
): Promise<void> {
  const { id, templateId, variables } = deployment
  await tx.query(INSERT_DEPLOYMENT, [organizationId, id, templateId, JSON.stringify(variables)])
}

const SET_VARIABLES = statement(
  'set-deployment-variables',
  `update template_deployments as d set memory_variables = d.memory_variables || $4::jsonb
   where d.organization_id = $1 and d.template_id = $2 and d.id = $3 returning d.memory_variables`,
)

/** Sets variables of a deployment, and gives all of them; undefined where the template has no such deployment. Locks it. */
export async function setDeploymentVariables(
  tx: Queryable,
  organizationId: string,
  templateId: string,
  deploymentId: string,
  variables: Variables,
): Promise<Variables | undefined> {
  const parameters = [organizationId, templateId, deploymentId, JSON.stringify(variables)]
  const [row] = await tx.query<{ memory_variables: Variables }>(SET_VARIABLES, parameters)
  return row?.memory_variables
}
