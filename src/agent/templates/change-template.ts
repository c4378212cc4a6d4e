import { invalidArgument, notFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db, Queryable } from '#store/db.ts'
import { findTemplateSnapshot } from '#store/templates/template-reader.ts'
import type { TemplateRow } from '#store/templates/template-row.ts'
import {
  deleteTemplate,
  type LockedTemplate,
  lockTemplate,
  saveTemplateVersion,
  setTemplateSnapshot,
  setTemplateText,
} from '#store/templates/template-writer.ts'
import { readAgentFile } from './create-template.ts'
import { checkTemplateName, nameTaken, parseVersion, templateNotFound } from './template-name.ts'
import { withKnownEntities } from './template-snapshot.ts'

interface Author {
  organizationId: string
  userId: string
}

async function lock(tx: Queryable, organizationId: string, template: TemplateRow): Promise<LockedTemplate> {
  const locked = await lockTemplate(tx, organizationId, template.id)
  if (locked === undefined) throw templateNotFound(template.name)
  return locked
}

const save = (tx: Queryable, { organizationId, userId }: Author, template: TemplateRow, message: string | null) =>
  saveTemplateVersion(tx, organizationId, template.id, { id: newId('template'), message, userId })

/** Saves the version under work as the next one, changed or not; gives its number. */
export async function saveTemplate(
  db: Db,
  author: Author,
  template: TemplateRow,
  message: string | null,
): Promise<number> {
  return db.transaction(async (tx) => {
    await lock(tx, author.organizationId, template)
    return save(tx, author, template, message)
  })
}

/**
 * Makes the version under work the same as a saved one; what was changed and not saved is saved before. Gives the number of that
 * version, undefined where nothing was to be saved. Throws not_found, invalid_argument.
 */
export async function rollBackTemplate(
  db: Db,
  author: Author,
  template: TemplateRow,
  versionText: string,
): Promise<{ version: number; savedAs: number | undefined }> {
  const { organizationId, userId } = author
  const wanted = parseVersion(versionText)
  if (wanted === 'current') {
    throw invalidArgument("INVALID_ARGUMENT: version: roll back to a saved version: a number, or 'latest'.")
  }
  return db.transaction(async (tx) => {
    const locked = await lock(tx, organizationId, template)
    const version = wanted === 'latest' ? locked.latest_version : wanted
    const found = await findTemplateSnapshot(tx, organizationId, template.id, version)
    if (found === undefined) throw notFound(`Template '${template.name}' has no version ${version}.`)
    const message = `Saved before the rollback to version ${version}`
    const savedAs = locked.is_changed ? await save(tx, author, template, message) : undefined
    const change = { snapshot: found.snapshot, baseVersion: version, userId }
    await setTemplateSnapshot(tx, organizationId, template.id, change)
    return { version, savedAs }
  })
}

/** Makes the version under work from an agent file. Throws what `readAgentFile` throws. */
export async function updateTemplate(
  db: Db,
  author: Author,
  template: TemplateRow,
  change: { file: Record<string, unknown>; updatesTools: boolean; savesChanges: boolean },
): Promise<{ savedAs: number | undefined }> {
  const { organizationId, userId } = author
  const snapshot = await readAgentFile(db, organizationId, change.file, change.updatesTools)
  return db.transaction(async (tx) => {
    const locked = await lock(tx, organizationId, template)
    const message = 'Saved before an update'
    const savedAs = change.savesChanges && locked.is_changed ? await save(tx, author, template, message) : undefined
    const wanted = withKnownEntities(snapshot, locked.snapshot)
    await setTemplateSnapshot(tx, organizationId, template.id, { snapshot: wanted, baseVersion: null, userId })
    return { savedAs }
  })
}

/** Throws invalid_argument, conflict (another template of the project has this name). */
export async function renameTemplate(db: Db, author: Author, template: TemplateRow, name: string): Promise<void> {
  checkTemplateName(name)
  const { organizationId, userId } = author
  await setTemplateText(db, organizationId, template.id, { name, userId }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? nameTaken(name) : error
  })
}

export async function describeTemplate(
  db: Db,
  author: Author,
  template: TemplateRow,
  description: string | null,
): Promise<void> {
  await setTemplateText(db, author.organizationId, template.id, { description, userId: author.userId })
}

/** All its versions; agents that were made of it stay. Throws not_found. */
export async function removeTemplate(db: Db, organizationId: string, template: TemplateRow): Promise<void> {
  if (!(await deleteTemplate(db, organizationId, template.id))) throw templateNotFound(template.name)
}
