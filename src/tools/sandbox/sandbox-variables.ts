import { conflict, notFound, unprocessable } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { SECRET_MASK } from '#platform/secret-mask.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Queryable } from '#store/db.ts'
import type { SandboxVariableRow } from '#store/sandbox-configs/sandbox-config-row.ts'
import {
  deleteSandboxVariable,
  insertSandboxVariable,
  updateSandboxVariable,
} from '#store/sandbox-configs/sandbox-variable-store.ts'
import { getSandboxConfig } from './sandbox-configs.ts'

interface VariableAuthor {
  organizationId: string
  userId: string
}

/** Stores a variable with its value sealed. Throws not_found, conflict where the key is taken, unprocessable for a key that is none. */
export async function createSandboxVariable(
  db: Queryable,
  secrets: SecretBox,
  { organizationId, userId }: VariableAuthor,
  configId: string,
  variable: { key: string; value: string; description?: string | null },
): Promise<SandboxVariableRow> {
  const { key, value, description = null } = variable
  checkKey(key)
  if (value === SECRET_MASK)
    throw unprocessable('body.value: this is the mask that stands for a stored value. Send the value.')
  await getSandboxConfig(db, organizationId, configId)
  const id = newId('sandbox-env')
  const sealedValue = secrets.seal(value, variableOwner(organizationId, id))
  return refusingTakenKey(key, () =>
    insertSandboxVariable(db, organizationId, { id, configId, key, sealedValue, description, userId }),
  )
}

/** Changes a variable: null and the mask leave key and value, a null description clears it. Throws as `createSandboxVariable` does. */
export async function modifySandboxVariable(
  db: Queryable,
  secrets: SecretBox,
  { organizationId, userId }: VariableAuthor,
  id: string,
  change: { key?: string | null; value?: string | null; description?: string | null },
): Promise<SandboxVariableRow> {
  const key = change.key ?? undefined
  if (key !== undefined) checkKey(key)
  const isKept = change.value == null || change.value === SECRET_MASK
  const sealedValue = isKept ? undefined : secrets.seal(change.value ?? '', variableOwner(organizationId, id))
  const { description } = change
  const row = await refusingTakenKey(key ?? '', () =>
    updateSandboxVariable(db, organizationId, id, { key, sealedValue, description, userId }),
  )
  if (row === undefined) throw variableNotFound(id)
  return row
}

/** Throws not_found. */
export async function removeSandboxVariable(db: Queryable, organizationId: string, id: string): Promise<void> {
  if (!(await deleteSandboxVariable(db, organizationId, id))) throw variableNotFound(id)
}

function checkKey(key: string): void {
  if (!/^[A-Za-z_]\w*$/.test(key)) throw unprocessable('body.key: use letters, digits and _, and no digit first.')
}

async function refusingTakenKey<Result>(key: string, write: () => Promise<Result>): Promise<Result> {
  try {
    return await write()
  } catch (error) {
    if (!isUniqueViolation(error)) throw error
    throw conflict(`CONFLICT: This sandbox configuration has a variable ${key} already. Change that one.`, {
      canRetry: false,
    })
  }
}

/** What a sealed value is bound to: see `SecretBox`. */
export const variableOwner = (organizationId: string, id: string) => ({
  organizationId,
  place: `sandbox_variables ${id}`,
})

const variableNotFound = (id: string) => notFound(`Environment variable ${id} was not found.`)
