import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createProject } from './create-project.ts'
import { deleteProject } from './delete-project.ts'
import { listProjects } from './list-projects.ts'

export function registerProjects(app: App, context: Context): void {
  // projects:read
  listProjects(app, context)

  // projects:write
  createProject(app, context)
  deleteProject(app, context)
}
