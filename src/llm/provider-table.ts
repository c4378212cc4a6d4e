/** Which API a provider speaks, and so which package of the AI SDK calls it. */
export type ProviderKind = 'openai' | 'anthropic' | 'google' | 'openai-compatible'

export interface ProviderRow {
  /** First part of its handles, as in `config.providers`. */
  readonly name: string
  readonly displayName: string
  readonly kind: ProviderKind
  /** With the version segment; undefined where the operator has to say it. */
  readonly baseUrl?: string
  /** Runs on the operator's own machines: models may take minutes to load, and need no key. */
  readonly isLocal?: boolean
  /** `provider_type` and `model_endpoint_type` of the wire. */
  readonly providerType: string
  readonly endpointType: string
  /** Lists its models as Ollama does. */
  readonly listsLikeOllama?: boolean
  /** Rejects fields that it does not know, such as `stream_options` and `user`. */
  readonly isStrict?: boolean
  /** Wants call ids of exactly nine letters and digits. */
  readonly hasShortCallIds?: boolean
  /** Wants the reasoning of the present turn back, as `reasoning_content`. */
  readonly wantsReasoning?: boolean
}

const compatible = (name: string, displayName: string, baseUrl: string, extra: Partial<ProviderRow> = {}) =>
  ({ name, displayName, kind: 'openai-compatible', baseUrl, providerType: name, endpointType: name, ...extra }) as const

const local = (name: string, displayName: string, baseUrl: string, extra: Partial<ProviderRow> = {}) =>
  compatible(name, displayName, baseUrl, { isLocal: true, ...extra })

/** Every provider that `src/config/options.ts` names, in the order of listings. */
export const PROVIDERS: readonly ProviderRow[] = [
  {
    name: 'openai',
    displayName: 'OpenAI',
    kind: 'openai',
    baseUrl: 'https://api.openai.com/v1',
    providerType: 'openai',
    endpointType: 'openai',
  },
  {
    name: 'anthropic',
    displayName: 'Anthropic',
    kind: 'anthropic',
    baseUrl: 'https://api.anthropic.com/v1',
    providerType: 'anthropic',
    endpointType: 'anthropic',
  },
  {
    name: 'google_ai',
    displayName: 'Google Gemini',
    kind: 'google',
    baseUrl: 'https://generativelanguage.googleapis.com/v1beta',
    providerType: 'google_ai',
    endpointType: 'google_ai',
  },
  local('ollama', 'Ollama', 'http://127.0.0.1:11434/v1', { listsLikeOllama: true }),
  local('vllm', 'vLLM', 'http://127.0.0.1:8000/v1'),
  local('lmstudio', 'LM Studio', 'http://127.0.0.1:1234/v1', {
    providerType: 'lmstudio_openai',
    endpointType: 'lmstudio-chatcompletions',
  }),
  compatible('openrouter', 'OpenRouter', 'https://openrouter.ai/api/v1'),
  compatible('groq', 'Groq', 'https://api.groq.com/openai/v1'),
  compatible('together', 'Together AI', 'https://api.together.xyz/v1'),
  compatible('deepseek', 'DeepSeek', 'https://api.deepseek.com/v1', { wantsReasoning: true }),
  compatible('xai', 'xAI', 'https://api.x.ai/v1'),
  compatible('mistral', 'Mistral', 'https://api.mistral.ai/v1', { isStrict: true, hasShortCallIds: true }),
  compatible('fireworks', 'Fireworks', 'https://api.fireworks.ai/inference/v1'),
  // V1's list of endpoint types has no cerebras
  compatible('cerebras', 'Cerebras', 'https://api.cerebras.ai/v1', { endpointType: 'openai' }),
]

/** A provider as the operator configured it. */
export interface Provider extends ProviderRow {
  readonly baseUrl: string
  readonly apiKey: string | undefined
  /** The address is the operator's own: it is tried with and without `/v1`, and its server is not taken for the vendor's. */
  readonly hasOwnUrl: boolean
}

export interface ProviderInput {
  readonly name: string
  readonly apiKey: string | undefined
  readonly baseUrl: string | undefined
}

/** The configured providers, in the order of listings; those of the table without the key they need are left out. */
export function toProviders(
  providers: readonly ProviderInput[],
  openaiCompatible: readonly (ProviderInput & { baseUrl: string })[],
): Provider[] {
  const configured: Provider[] = []
  for (const row of PROVIDERS) {
    const input = providers.find((candidate) => candidate.name === row.name)
    const baseUrl = input?.baseUrl ?? row.baseUrl
    if (input === undefined || baseUrl === undefined) continue
    // a gateway of the operator's own may need no key; a vendor does
    if (input.apiKey === undefined && input.baseUrl === undefined && !row.isLocal) continue
    configured.push({
      ...row,
      baseUrl: trimUrl(baseUrl),
      apiKey: input.apiKey,
      hasOwnUrl: input.baseUrl !== undefined,
    })
  }
  for (const { name, baseUrl, apiKey } of openaiCompatible) {
    configured.push({
      name,
      displayName: name,
      kind: 'openai-compatible',
      providerType: 'openai',
      endpointType: 'openai',
      baseUrl: trimUrl(baseUrl),
      apiKey,
      hasOwnUrl: true,
    })
  }
  return configured
}

export const trimUrl = (url: string): string => url.trim().replace(/\/+$/, '')

/** OpenAI itself, not a gateway or a mock in its place. */
export function isOpenAiItself(provider: Provider): boolean {
  return provider.kind === 'openai' && URL.parse(provider.baseUrl)?.hostname === 'api.openai.com'
}
