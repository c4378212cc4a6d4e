import Type, { type TProperties } from 'typebox'
import { IdSchema } from '#http/wire/ids.ts'

/** Folders were called sources: every operation is there under both names, over the same rows. */
export interface FolderRoutes {
  base: '/v1/folders' | '/v1/sources'
  /** Name of the parameter that holds the id. */
  key: 'folder_id' | 'source_id'
  tag: 'folders' | 'sources'
  isLegacy: boolean
}

export const FOLDER_ROUTES: readonly FolderRoutes[] = [
  { base: '/v1/folders', key: 'folder_id', tag: 'folders', isLegacy: false },
  { base: '/v1/sources', key: 'source_id', tag: 'sources', isLegacy: true },
]

/** Path parameters with the folder's id under the name that the route has for it. */
export const folderParams = ({ key }: FolderRoutes, others: TProperties = {}) =>
  Type.Unsafe<Record<string, string>>(Type.Object({ [key]: IdSchema('source'), ...others }))

/** A validated parameter. */
export function parameter(params: Record<string, string>, name: string): string {
  const value = params[name]
  if (value === undefined) throw new Error(`the route has no parameter ${name}`)
  return value
}
