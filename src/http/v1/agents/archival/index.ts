import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createPassage } from './create-passage.ts'
import { deletePassage } from './delete-passage.ts'
import { listPassages } from './list-passages.ts'
import { searchArchivalMemory } from './search-archival-memory.ts'

export function registerArchivalMemory(app: App, context: Context): void {
  // agents:read
  listPassages(app, context)
  searchArchivalMemory(app, context)

  // agents:write
  createPassage(app, context)
  deletePassage(app, context)
}
