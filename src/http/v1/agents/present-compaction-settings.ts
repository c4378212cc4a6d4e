import type { Static } from 'typebox'
import { cheapSummarizer, compactionSettingsOf } from '#agent/context-window/compaction-settings.ts'
import type { ModelInfo } from '#llm/model.ts'
import type { AgentRow } from '#store/agents/agent-row.ts'
import type { CompactionSettingsWire } from './compaction-schema.ts'
import { type ModelCatalog, settingsTypeOf } from './present-model.ts'

/** The settings that were set over the defaults, with the model that would write the summary. */
export function presentCompactionSettings(
  agent: AgentRow,
  info: ModelInfo,
  { models }: ModelCatalog,
): Static<typeof CompactionSettingsWire> {
  const settings = compactionSettingsOf(agent.compaction_settings)
  const cheap = cheapSummarizer(info)
  const model = settings.model ?? (cheap !== undefined && isServed(cheap, models) ? cheap : agent.model)
  return { ...settings, model, model_settings: presentSettings(settings.model_settings, model) }
}

/** Vendors list some models by dated names. */
const isServed = (handle: string, models: ModelCatalog['models']): boolean =>
  models.has(handle) || [...models.keys()].some((listed) => listed.startsWith(`${handle}-20`))

/** Clients tell settings apart by their provider type. */
const presentSettings = (settings: Record<string, unknown> | null, handle: string): Record<string, unknown> | null =>
  settings === null ? null : { provider_type: settingsTypeOf(handle.slice(0, handle.indexOf('/'))), ...settings }
