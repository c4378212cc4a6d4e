import { randomBytes } from 'node:crypto'
import { conflict, type DomainError, notFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import * as store from '#store/projects/project-store.ts'

export const projectNotFound = (idOrSlug: string): DomainError =>
  notFound(`Project '${idOrSlug}' was not found: create it with POST /v1/projects.`)

/** The project of this id or slug, the default one with null. Throws not_found. */
export async function getProject(
  db: Queryable,
  organizationId: string,
  idOrSlug: string | null,
): Promise<store.ProjectRow> {
  const project = await store.findProject(db, organizationId, idOrSlug)
  if (project === undefined) throw projectNotFound(idOrSlug ?? 'default-project')
  return project
}

const MAX_SLUG_LENGTH = 60
const ATTEMPTS = 5

/** Makes a project; its slug is its name in lower-case letters, with something at its end where another one has that. */
export async function createProject(db: Queryable, organizationId: string, name: string): Promise<store.ProjectRow> {
  const slug = toSlug(name)
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const wanted = attempt === 0 ? slug : `${slug}-${randomBytes(3).toString('hex')}`
    const project = await store.insertProject(db, organizationId, { id: newId('project'), name, slug: wanted })
    if (project !== undefined) return project
  }
  throw conflict('CONFLICT: No free slug was found for this name. Try again.')
}

function toSlug(name: string): string {
  const plain = name.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase()
  const slug = plain.replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '')
  return slug.slice(0, MAX_SLUG_LENGTH) || 'project'
}

/** With its templates; agents and blocks that name it stay. Throws not_found, conflict for the default one. */
export async function removeProject(db: Queryable, organizationId: string, id: string): Promise<void> {
  const project = await getProject(db, organizationId, id)
  if (project.is_default) {
    throw conflict('CONFLICT: The default project cannot be deleted.', { canRetry: false })
  }
  if (!(await store.deleteProject(db, organizationId, project.id))) throw projectNotFound(id)
}
