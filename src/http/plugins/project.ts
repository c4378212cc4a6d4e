import type { FastifyRequest } from 'fastify'
import Type from 'typebox'
import { getProject } from '#agent/projects/create-project.ts'
import type { App } from '#http/app.ts'
import type { Queryable } from '#store/db.ts'

/** For the description of what `takeProjects` takes. */
export const ProjectHeaders = Type.Object({
  'X-Project': Type.Optional(Type.String({ description: 'Slug of the project that it is made in' })),
  'X-Project-Id': Type.Optional(Type.String({ description: 'The same by id' })),
})

/** What a request says of its project: `X-Project-Id` has an id, `X-Project` a slug. Undefined where it says nothing. */
export function projectHeaderOf(
  request: Pick<FastifyRequest, 'headers'>,
): { id: string } | { slug: string } | undefined {
  const { 'x-project-id': id, 'x-project': slug } = request.headers
  if (typeof id === 'string' && id !== '') return { id }
  return typeof slug === 'string' && slug !== '' ? { slug } : undefined
}

/**
 * What is made at the root of a collection is of the project that the headers name, unless its body names one. An id is taken as
 * it is, as `project_id` is; a slug must be of a project. Lists are filtered by `project_id` alone.
 */
export function takeProjects(app: App, db: Queryable): void {
  app.addHook('preHandler', async (request) => {
    const { method, routeOptions } = request
    if ((method !== 'POST' && method !== 'PUT') || routeOptions.url?.includes('/:')) return
    if (!routeOptions.config.permission?.endsWith(':write')) return
    const header = projectHeaderOf(request)
    if (header === undefined) return
    const { actor } = request
    const projectId = 'id' in header ? header.id : (await getProject(db, actor.organizationId, header.slug)).id
    request.actor = { ...actor, projectId }
  })
}
