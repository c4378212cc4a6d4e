import { invalidArgument } from '#platform/errors.ts'
import type { ToolFilter } from '#store/tools/tool-reader.ts'
import { TOOL_TYPES, type ToolFilterQuery } from './tool-schema.ts'

const SERVER_TOOL_TYPES = TOOL_TYPES.filter((type) => type.startsWith('letta_'))

/** The store's filter of validated query parameters. Throws invalid_argument for a tool type that there is not. */
export function toToolFilter(query: ToolFilterQuery & { exclude_letta_tools?: boolean }): ToolFilter {
  const names = splitList(query.names)
  const types = checkToolTypes(splitList(query.tool_types))
  const excludedTypes = checkToolTypes(splitList(query.exclude_tool_types))
  return {
    names: query.name === undefined ? names : [query.name].filter((name) => names?.includes(name) ?? true),
    ids: splitList(query.tool_ids),
    nameContains: query.search || undefined,
    types: query.return_only_letta_tools ? SERVER_TOOL_TYPES.filter((type) => types?.includes(type) ?? true) : types,
    excludedTypes: query.exclude_letta_tools ? [...SERVER_TOOL_TYPES, ...(excludedTypes ?? [])] : excludedTypes,
  }
}

/** Repeated parameters and comma-joined texts alike; undefined when there is no value. */
function splitList(values: string[] | undefined): string[] | undefined {
  const parts = (values ?? []).flatMap((value) => value.split(',')).map((part) => part.trim())
  const given = parts.filter((part) => part !== '')
  return given.length === 0 ? undefined : given
}

/** The same types. Throws invalid_argument for one that there is not. */
export function checkToolTypes(types: string[] | undefined): string[] | undefined {
  const unknown = types?.find((type) => !(TOOL_TYPES as readonly string[]).includes(type))
  if (unknown === undefined) return types
  throw invalidArgument(`INVALID_ARGUMENT: There is no tool type '${unknown}'. Use one of: ${TOOL_TYPES.join(', ')}.`)
}
