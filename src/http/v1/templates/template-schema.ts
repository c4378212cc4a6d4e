import type { FastifyRequest } from 'fastify'
import Type, { type Static } from 'typebox'
import type { TemplateAuthor } from '#agent/templates/create-template.ts'
import { type FoundTemplate, getTemplate } from '#agent/templates/get-template.ts'
import type { Context } from '#context.ts'
import { projectHeaderOf } from '#http/plugins/project.ts'
import { Timestamp } from '#http/wire/nullable.ts'
import type { TemplateRow } from '#store/templates/template-row.ts'

const Project = Type.String({ minLength: 1, description: 'Id or slug of the project' })
const Name = Type.String({ minLength: 1, description: 'Name of the template' })
const Version = Type.String({ minLength: 1, description: '`name`, `name:2`, `name:latest` or `name:current`' })

export const ProjectParams = Type.Object({ project_id: Project })
export const NameParams = Type.Object({ template_name: Name })
export const ProjectNameParams = Type.Object({ project_id: Project, template_name: Name })
export const VersionParams = Type.Object({ template_version: Version })
export const ProjectVersionParams = Type.Object({ project_id: Project, template_version: Version })

export const TemplateSchema = Type.Object({
  name: Type.String(),
  id: Type.String(),
  project_id: Type.String(),
  project_slug: Type.String(),
  latest_version: Type.String(),
  description: Type.Optional(Type.String()),
  template_deployment_slug: Type.String({ description: 'Project, name and version: what agents are made of' }),
  updated_at: Timestamp,
})

export const SuccessSchema = Type.Object({ success: Type.Boolean(), message: Type.Optional(Type.String()) })

/** A stored template as the wire shows it. */
export function presentTemplate(row: TemplateRow): Static<typeof TemplateSchema> {
  return {
    name: row.name,
    id: row.id,
    project_id: row.project_id,
    project_slug: row.project_slug,
    latest_version: String(row.latest_version),
    ...(row.description === null ? {} : { description: row.description }),
    template_deployment_slug: `${row.project_slug}/${row.name}:${row.latest_version}`,
    updated_at: row.updated_at.toISOString(),
  }
}

/** The project that the path names, else the headers: id or slug. Null where nobody says, which is the default one. */
function projectOf(request: Pick<FastifyRequest, 'params' | 'headers'>): string | null {
  const { project_id: inPath } = request.params as { project_id?: string }
  const header = projectHeaderOf(request)
  return inPath ?? (header === undefined ? null : 'id' in header ? header.id : header.slug)
}

export const templateAuthorOf = (request: Pick<FastifyRequest, 'params' | 'headers' | 'actor'>): TemplateAuthor => ({
  organizationId: request.actor.organizationId,
  userId: request.actor.userId,
  project: projectOf(request),
})

/** The template that the path of a request names. Throws not_found, invalid_argument. */
export function templateOf(
  context: Context,
  request: Pick<FastifyRequest, 'params' | 'headers' | 'actor'>,
): Promise<FoundTemplate> {
  const { template_name, template_version } = request.params as { template_name?: string; template_version?: string }
  const text = template_version ?? template_name ?? ''
  return getTemplate(context.db, request.actor.organizationId, projectOf(request), text)
}
