import type { CreateAgentDeps, NewAgentInput } from '#agent/create-agent.ts'
import { resolveModel } from '#agent/resolve-model.ts'
import { settingsFor } from '#agent/settings-for.ts'
import type { ModelInfo } from '#llm/model.ts'
import { DomainError, invalidArgument } from '#platform/errors.ts'

/**
 * The model of an imported agent, and of the settings in the file those that mean something to it.
 * @param override handle that the caller wants instead of the file's
 * @throws invalid_argument with what to do, where this server has no such model
 */
export async function chooseModel(
  { models, defaultModel }: CreateAgentDeps,
  organizationId: string,
  input: NewAgentInput,
  override: string | undefined,
): Promise<{ model: ModelInfo; settings: Record<string, unknown> }> {
  const handle = override ?? input.model ?? defaultModel
  if (handle === undefined) {
    throw invalidArgument("The file names no model. Send the form field 'model' with the handle of one.")
  }
  const settings = input.model_settings ?? {}
  const model = await resolveModel(models, handle, organizationId).catch((error: unknown) => {
    if (!(error instanceof DomainError)) throw error
    const source = override === undefined ? "Send the form field 'model' with a handle of this server instead. " : ''
    throw invalidArgument(`The model '${handle}' is not to be had here. ${source}${error.message}`)
  })
  return { model, settings: settingsFor(settings, input.model, model) }
}
