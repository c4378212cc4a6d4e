import type { ModelInfo } from '#llm/model.ts'
import { COMMON_SETTINGS } from './modify-agent.ts'

/** Of settings that were made for the model of `handle`, those that mean something to `model`. */
export function settingsFor(
  settings: Record<string, unknown>,
  handle: string | null | undefined,
  model: ModelInfo,
): Record<string, unknown> {
  const isForeign = settings.provider_type !== undefined && settings.provider_type !== model.providerType
  const isOther = handle != null && providerOf(handle) !== providerOf(model.handle)
  if (!isForeign && !isOther) return settings
  return Object.fromEntries(Object.entries(settings).filter(([key]) => COMMON_SETTINGS.has(key)))
}

const providerOf = (handle: string): string => handle.slice(0, handle.indexOf('/'))
