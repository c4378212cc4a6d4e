import { conflict, notFound } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Queryable } from '#store/db.ts'
import type { SandboxConfigRow, SandboxType } from '#store/sandbox-configs/sandbox-config-row.ts'
import {
  deleteSandboxConfig,
  findSandboxConfig,
  findSandboxConfigOfType,
  insertSandboxConfig,
  updateSandboxConfig,
} from '#store/sandbox-configs/sandbox-config-store.ts'
import { type SandboxSettings, sandboxTypeOf, toSandboxConfig } from './sandbox-settings.ts'

interface SandboxAuthor {
  organizationId: string
  userId: string
}

/** Stores a configuration. Throws conflict where there is one of its type, unprocessable for fields of another type. */
export async function createSandboxConfig(
  db: Queryable,
  { organizationId, userId }: SandboxAuthor,
  settings: SandboxSettings,
  type: SandboxType = sandboxTypeOf(settings),
): Promise<SandboxConfigRow> {
  const config = toSandboxConfig(type, settings)
  const row = await insertSandboxConfig(db, organizationId, { id: newId('sandbox'), type, config, userId })
  if (row !== undefined) return row
  throw conflict(`CONFLICT: There is a sandbox configuration of the type ${type} already. Change that one.`, {
    canRetry: false,
  })
}

/** The configuration of a type, made with its defaults where there is none. */
export async function getDefaultSandboxConfig(
  db: Queryable,
  { organizationId, userId }: SandboxAuthor,
  type: SandboxType,
): Promise<SandboxConfigRow> {
  const config = toSandboxConfig(type, {})
  const row =
    (await findSandboxConfigOfType(db, organizationId, type)) ??
    (await insertSandboxConfig(db, organizationId, { id: newId('sandbox'), type, config, userId })) ??
    // another request was faster
    (await findSandboxConfigOfType(db, organizationId, type))
  if (row === undefined) throw conflict(`The sandbox configuration of the type ${type} was just deleted; try again.`)
  return row
}

/** Replaces the settings; the type stays. Without settings nothing changes. Throws not_found, unprocessable. */
export async function modifySandboxConfig(
  db: Queryable,
  { organizationId, userId }: SandboxAuthor,
  id: string,
  settings: SandboxSettings | null | undefined,
): Promise<SandboxConfigRow> {
  const stored = await getSandboxConfig(db, organizationId, id)
  if (settings == null) return stored
  const config = toSandboxConfig(stored.sandbox_type, settings)
  const row = await updateSandboxConfig(db, organizationId, id, config, userId)
  if (row === undefined) throw sandboxConfigNotFound(id)
  return row
}

/** Deletes a configuration with its variables. Throws not_found. */
export async function removeSandboxConfig(db: Queryable, organizationId: string, id: string): Promise<void> {
  if (!(await deleteSandboxConfig(db, organizationId, id))) throw sandboxConfigNotFound(id)
}

/** Throws not_found. */
export async function getSandboxConfig(db: Queryable, organizationId: string, id: string): Promise<SandboxConfigRow> {
  const row = await findSandboxConfig(db, organizationId, id)
  if (row === undefined) throw sandboxConfigNotFound(id)
  return row
}

const sandboxConfigNotFound = (id: string) => notFound(`Sandbox configuration ${id} was not found.`)
