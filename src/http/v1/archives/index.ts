import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createArchive } from './create-archive.ts'
import { createPassageInArchive } from './create-passage-in-archive.ts'
import { createPassagesInArchive } from './create-passages-in-archive.ts'
import { deleteArchive } from './delete-archive.ts'
import { deletePassageFromArchive } from './delete-passage-from-archive.ts'
import { listAgentsForArchive } from './list-agents-for-archive.ts'
import { listArchives } from './list-archives.ts'
import { modifyArchive } from './modify-archive.ts'
import { retrieveArchive } from './retrieve-archive.ts'
import { retrieveArchiveQuality } from './retrieve-archive-quality.ts'

export function registerArchives(app: App, context: Context): void {
  // archives:read
  listArchives(app, context)
  retrieveArchive(app, context)
  listAgentsForArchive(app, context)
  retrieveArchiveQuality(app, context)

  // archives:write
  createArchive(app, context)
  modifyArchive(app, context)
  deleteArchive(app, context)
  createPassageInArchive(app, context)
  createPassagesInArchive(app, context)
  deletePassageFromArchive(app, context)
}
