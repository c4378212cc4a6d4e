/** What is known of a model by its name alone. */
export interface CatalogEntry {
  /** Tokens of input and output together, except for OpenAI's gpt-5, where it is the input alone, as in V1. */
  contextWindow: number
  maxOutputTokens: number | null
  hasVision: boolean
  hasReasoning: boolean
}

/** Beginning of a name, context window, longest output (tokens), and what the model can do: v = images, r = reasoning. */
type Row = readonly [prefix: string, contextWindow: number, maxOutputTokens: number | null, abilities: string]

/**
 * Published figures, written down by hand: a guess for where a provider's own list says nothing, which wins wherever it does.
 * The first match counts, so that longer prefixes come first.
 */
const ROWS: readonly Row[] = [
  ['gpt-4o', 128_000, 16_384, 'v'],
  ['chatgpt-4o', 128_000, 16_384, 'v'],
  ['gpt-4.1', 1_047_576, 32_768, 'v'],
  ['gpt-4.5', 128_000, 16_384, 'v'],
  ['gpt-4-turbo', 128_000, 4_096, 'v'],
  ['gpt-4-1106', 128_000, 4_096, ''],
  ['gpt-4-0125', 128_000, 4_096, ''],
  ['gpt-4-32k', 32_768, 4_096, ''],
  ['gpt-4', 8_192, 4_096, ''],
  ['gpt-3.5-turbo', 16_385, 4_096, ''],
  ['gpt-5-chat', 128_000, 16_384, 'v'],
  ['gpt-5', 272_000, 128_000, 'vr'],
  ['gpt-6', 272_000, 128_000, 'vr'],
  ['gpt-oss', 131_072, 32_768, 'r'],
  ['o1-mini', 128_000, 65_536, 'r'],
  ['o1-preview', 128_000, 32_768, 'r'],
  ['o1', 200_000, 100_000, 'vr'],
  ['o3-mini', 200_000, 100_000, 'r'],
  ['o3', 200_000, 100_000, 'vr'],
  ['o4', 200_000, 100_000, 'vr'],
  ['claude-3-haiku', 200_000, 4_096, 'v'],
  ['claude-3-opus', 200_000, 4_096, 'v'],
  ['claude-3-sonnet', 200_000, 4_096, 'v'],
  ['claude-3-5', 200_000, 8_192, 'v'],
  ['claude-3.5', 200_000, 8_192, 'v'],
  ['claude-opus-4-1', 200_000, 32_000, 'vr'],
  ['claude-opus-4-0', 200_000, 32_000, 'vr'],
  ['claude-opus-4-2', 200_000, 32_000, 'vr'],
  ['claude-2', 100_000, 4_096, ''],
  ['claude', 200_000, 64_000, 'vr'],
  ['gemini-1.5-pro', 2_097_152, 8_192, 'v'],
  ['gemini-1', 1_048_576, 8_192, 'v'],
  ['gemini-2.0', 1_048_576, 8_192, 'v'],
  ['gemini', 1_048_576, 65_536, 'vr'],
  ['gemma-3', 131_072, 8_192, 'v'],
  ['gemma3', 131_072, 8_192, 'v'],
  ['gemma', 8_192, null, ''],
  ['llama-4', 1_048_576, null, 'v'],
  ['llama4', 1_048_576, null, 'v'],
  ['llama-3.2-vision', 131_072, null, 'v'],
  ['llama3.2-vision', 131_072, null, 'v'],
  ['llama-3.', 131_072, null, ''],
  ['llama3.', 131_072, null, ''],
  ['llama-3', 8_192, null, ''],
  ['llama3', 8_192, null, ''],
  ['meta-llama-3.', 131_072, null, ''],
  ['qwq', 131_072, null, 'r'],
  ['qwen3-coder', 262_144, 65_536, ''],
  ['qwen3-vl', 262_144, 32_768, 'v'],
  ['qwen3', 131_072, 32_768, 'r'],
  ['qwen2.5-vl', 131_072, 8_192, 'v'],
  ['qwen', 131_072, 8_192, ''],
  ['mixtral', 32_768, null, ''],
  ['pixtral', 131_072, null, 'v'],
  ['magistral', 131_072, null, 'r'],
  ['codestral', 256_000, null, ''],
  ['devstral', 131_072, null, ''],
  ['mistral-small', 131_072, null, 'v'],
  ['mistral-medium', 131_072, null, 'v'],
  ['mistral-large', 131_072, null, ''],
  ['ministral', 131_072, null, ''],
  ['mistral', 32_768, null, ''],
  ['deepseek-reasoner', 131_072, 65_536, 'r'],
  ['deepseek-r1', 131_072, 32_768, 'r'],
  ['deepseek', 131_072, 8_192, ''],
  ['grok-4-fast', 2_000_000, null, 'vr'],
  ['grok-4', 256_000, null, 'vr'],
  ['grok-3-mini', 131_072, null, 'r'],
  ['grok', 131_072, null, ''],
  ['kimi', 262_144, null, ''],
  ['glm-4', 131_072, null, ''],
  ['glm', 200_000, null, 'r'],
  ['minimax', 200_000, null, 'r'],
  ['command', 131_072, 4_096, ''],
  ['phi-4', 16_384, null, ''],
  ['phi4', 16_384, null, ''],
]

/** Servers of one's own mostly run with a part of what the model could take, to save memory. */
const UNKNOWN_LOCAL_WINDOW = 32_000
const UNKNOWN_WINDOW = 128_000

/**
 * What is known of a model by its name: `gpt-4o-mini`, `meta-llama/Llama-3.3-70B-Instruct`, `qwen3:8b`. An unknown model gets
 * 32 000 tokens on a server of one's own and 128 000 elsewhere.
 */
export function findInCatalog(modelName: string, isLocal: boolean): CatalogEntry {
  const name = modelName.slice(modelName.lastIndexOf('/') + 1).toLowerCase()
  const row = ROWS.find(([prefix]) => name.startsWith(prefix))
  if (row === undefined) {
    const contextWindow = isLocal ? UNKNOWN_LOCAL_WINDOW : UNKNOWN_WINDOW
    return { contextWindow, maxOutputTokens: null, hasVision: false, hasReasoning: false }
  }
  const [, contextWindow, maxOutputTokens, abilities] = row
  return {
    contextWindow,
    maxOutputTokens,
    hasVision: abilities.includes('v'),
    hasReasoning: abilities.includes('r'),
  }
}

/** OpenAI's models that think before they answer; they take neither a temperature nor `max_tokens`. */
export function isOpenAiReasoningModel(modelName: string): boolean {
  return /^(o\d|gpt-[5-9](?!.*chat))/.test(modelName)
}
