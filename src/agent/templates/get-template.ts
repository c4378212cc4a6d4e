import { getProject } from '#agent/projects/create-project.ts'
import { notFound } from '#platform/errors.ts'
import type { Queryable } from '#store/db.ts'
import { findTemplate, findTemplateSnapshot } from '#store/templates/template-reader.ts'
import type { TemplateRow, TemplateSnapshot } from '#store/templates/template-row.ts'
import { parseTemplateAddress, templateNotFound, type VersionName } from './template-name.ts'

/** A template, and the version of it that was asked for. */
export interface FoundTemplate {
  template: TemplateRow
  version: VersionName
}

/**
 * The template of an address such as `name:2`, in the project given (id or slug), else in the one that the address names, else in
 * the default one. Throws not_found, invalid_argument (version).
 */
export async function getTemplate(
  db: Queryable,
  organizationId: string,
  project: string | null,
  text: string,
): Promise<FoundTemplate> {
  const address = parseTemplateAddress(text)
  const { id } = await getProject(db, organizationId, project ?? address.project ?? null)
  const template = await findTemplate(db, organizationId, id, address.name)
  if (template === undefined) throw templateNotFound(text)
  return { template, version: address.version }
}

/** The contents of a version, its number, and what its agents name as their template. Throws not_found. */
export async function getTemplateSnapshot(
  db: Queryable,
  organizationId: string,
  { template, version }: FoundTemplate,
): Promise<{ snapshot: TemplateSnapshot; id: string; version: number | 'current' }> {
  const number = version === 'latest' ? template.latest_version : version
  const found = await findTemplateSnapshot(db, organizationId, template.id, number)
  if (found === undefined) throw notFound(`Template '${template.name}' has no version ${version}.`)
  return { ...found, version: number }
}
