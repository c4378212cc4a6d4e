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

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

/** What a field may be; what is anything else (an imported agent's, an older version's) counts as not set. */
const IS_VALID: Record<keyof CompactionSettings, (value: unknown) => boolean> = {
  mode: (value) => COMPACTION_MODES.some((mode) => mode === value),
  model: isText,
  model_settings: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  prompt: isText,
  prompt_acknowledgement: (value) => typeof value === 'boolean',
  clip_chars: (value) => value === null || (Number.isInteger(value) && (value as number) > 0),
  sliding_window_percentage: (value) => typeof value === 'number' && value > 0 && value <= 1,
}

/** Settings over the defaults, the later ones winning. */
export function compactionSettingsOf(...given: (Record<string, unknown> | null | undefined)[]): CompactionSettings {
  const fields = Object.keys(DEFAULTS) as (keyof CompactionSettings)[]
  const chosen = fields.flatMap((field) => {
    const values = given.map((settings) => settings?.[field]).filter((value) => IS_VALID[field](value))
    return values.length > 0 ? [[field, values.at(-1)]] : []
  })
  return { ...DEFAULTS, ...Object.fromEntries(chosen) }
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
