import type { ModelInfo, ModelRegistry } from '#llm/model.ts'
import { invalidArgument } from '#platform/errors.ts'

/** Below this no system prompt with memory and an answer fit. */
const MIN_CONTEXT_WINDOW = 4000

/** The model of an agent. Throws invalid_argument for a malformed handle, not_found for one that is not served. */
export async function resolveModel(models: ModelRegistry, handle: string, organizationId: string): Promise<ModelInfo> {
  const slash = handle.indexOf('/')
  if (slash < 1 || slash === handle.length - 1) {
    throw invalidArgument(`INVALID_ARGUMENT: model handle '${handle}' must be written as provider/model.`)
  }
  return (await models.getModel(handle, organizationId)).info
}

/** Throws invalid_argument for a limit (tokens) that the model cannot keep or that nothing fits into. */
export function checkContextWindow(limit: number | null | undefined, model: ModelInfo): void {
  if (limit === null || limit === undefined) return
  if (limit > model.contextWindow) {
    throw invalidArgument(
      `INVALID_ARGUMENT: context_window_limit ${limit} is more than the ${model.contextWindow} tokens of ${model.handle}.`,
    )
  }
  if (limit < MIN_CONTEXT_WINDOW && limit < model.contextWindow) {
    throw invalidArgument(
      `INVALID_ARGUMENT: context_window_limit ${limit} is too small; use ${MIN_CONTEXT_WINDOW} or more.`,
    )
  }
}
