import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { diffPassageVersions } from './diff-passage-versions.ts'
import { listPassageVersions } from './list-passage-versions.ts'
import { modifyPassage } from './modify-passage.ts'
import { restorePassageVersion } from './restore-passage-version.ts'
import { retrievePassage } from './retrieve-passage.ts'
import { retrievePassageVersion } from './retrieve-passage-version.ts'
import { searchPassages } from './search-passages.ts'

export function registerPassages(app: App, context: Context): void {
  // passages:read
  searchPassages(app, context)
  retrievePassage(app, context)
  listPassageVersions(app, context)
  retrievePassageVersion(app, context)
  diffPassageVersions(app, context)

  // passages:write
  modifyPassage(app, context)
  restorePassageVersion(app, context)
}
