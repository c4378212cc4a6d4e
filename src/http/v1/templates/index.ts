import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createAgentsFromTemplate } from './create-agents-from-template.ts'
import { createTemplate } from './create-template.ts'
import { deleteTemplate } from './delete-template.ts'
import { describeTemplate } from './describe-template.ts'
import { forkTemplate } from './fork-template.ts'
import { listTemplateVersions } from './list-template-versions.ts'
import { listTemplates } from './list-templates.ts'
import { migrateDeployment } from './migrate-deployment.ts'
import { renameTemplate } from './rename-template.ts'
import { retrieveTemplateSnapshot } from './retrieve-template-snapshot.ts'
import { rollBackTemplate } from './roll-back-template.ts'
import { saveTemplateVersion } from './save-template-version.ts'
import { updateTemplate } from './update-template.ts'

export function registerTemplates(app: App, context: Context): void {
  // templates:read
  listTemplates(app, context)
  listTemplateVersions(app, context)
  retrieveTemplateSnapshot(app, context)

  // templates:write
  createTemplate(app, context)
  updateTemplate(app, context)
  deleteTemplate(app, context)
  saveTemplateVersion(app, context)
  rollBackTemplate(app, context)
  forkTemplate(app, context)
  renameTemplate(app, context)
  describeTemplate(app, context)
  createAgentsFromTemplate(app, context)
  migrateDeployment(app, context)
}
