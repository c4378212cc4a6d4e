import type { ModelInfo, ModelRegistry } from '#llm/model.ts'

/** Whether a model edits better with numbered lines: Anthropic's do. */
export const likesLineNumbers = ({ providerType }: ModelInfo): boolean => providerType === 'anthropic'

/**
 * The same of a handle. False where the model is not to be had at the moment; the next turn, which cannot do without it,
 * compiles the prompt for the model that it gets.
 */
export async function handleLikesLineNumbers(
  models: ModelRegistry,
  handle: string,
  organizationId: string,
): Promise<boolean> {
  try {
    return likesLineNumbers((await models.getModel(handle, organizationId)).info)
  } catch {
    return false
  }
}
