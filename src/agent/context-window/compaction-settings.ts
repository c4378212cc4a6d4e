import type { ModelInfo } from '#llm/model.ts'

export const COMPACTION_MODES = ['all', 'sliding_window', 'self_compact_all', 'self_compact_sliding_window'] as const
export type CompactionMode = (typeof COMPACTION_MODES)[number]

/** How a context that becomes too long is summarised, as the wire has it, complete. */
export interface CompactionSettings {
  mode: CompactionMode
  /** Handle of the model that writes the summary; null: the cheap one of the agent's provider, or the agent's own. */
  model: string | null
  model_settings: Record<string, unknown> | null
  /** Instructions instead of ours. */
  prompt: string | null
  /** Lets the summariser say that it has understood before it reads the transcript; helps models that answer it instead. */
  prompt_acknowledgement: boolean
  /** Longest summary in characters; null: as long as fits. */
  clip_chars: number | null
  /** Part of the context that makes room, at least. */
  sliding_window_percentage: number
}

const DEFAULTS: CompactionSettings = {
  mode: 'sliding_window',
  model: null,
  model_settings: null,
  prompt: null,
  prompt_acknowledgement: false,
  clip_chars: 50_000,
  sliding_window_percentage: 0.3,
}

/** Stored settings over the defaults; null of a field that cannot be null is the default too. */
export function compactionSettingsOf(...stored: (Record<string, unknown> | null | undefined)[]): CompactionSettings {
  const merged: Record<string, unknown> = { ...DEFAULTS }
  for (const [key, value] of stored.flatMap((settings) => Object.entries(settings ?? {}))) {
    if (value !== undefined && (value !== null || key === 'clip_chars')) merged[key] = value
  }
  return merged as unknown as CompactionSettings
}

/** The cheap model of a provider, as V1 had them. */
const CHEAP_MODELS: Record<string, string> = {
  anthropic: 'anthropic/claude-haiku-4-5',
  openai: 'openai/gpt-5-mini',
  google_ai: 'google_ai/gemini-2.5-flash',
}

/** Handle of a model that is cheaper than the agent's and of the same provider; undefined where we know none. */
export const cheapSummarizer = ({ providerName }: Pick<ModelInfo, 'providerName'>): string | undefined =>
  CHEAP_MODELS[providerName]
