import type { ToolDefinition } from '#llm/model.ts'
import { unprocessable } from '#platform/errors.ts'

interface ClientTool {
  name: string
  description?: string | null | undefined
  parameters?: Record<string, unknown> | null | undefined
}

/** The client's tools as models take them. Throws unprocessable where two have one name, or the arguments are no object. */
export function toClientTools(tools: readonly ClientTool[] | null | undefined): ToolDefinition[] {
  const names = new Set<string>()
  return (tools ?? []).map(({ name, description, parameters }, index) => {
    if (names.has(name)) throw unprocessable(`body.client_tools.${index}.name: there are two tools named '${name}'`)
    names.add(name)
    const { type = 'object', properties = {}, ...rest } = parameters ?? {}
    if (type !== 'object' || typeof properties !== 'object' || properties === null) {
      throw unprocessable(`body.client_tools.${index}.parameters: must be a JSON Schema of an object`)
    }
    return { name, description: description ?? '', parameters: { type, properties, ...rest } }
  })
}
