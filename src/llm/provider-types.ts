import { invalidArgument } from '#platform/errors.ts'
import { PROVIDERS, type Provider, type ProviderRow, trimUrl } from './provider-table.ts'

/** V1's types of providers, which clients name when they bring one. */
export const PROVIDER_TYPES = [
  'anthropic',
  'azure',
  'baseten',
  'bedrock',
  'cerebras',
  'chatgpt_oauth',
  'deepseek',
  'fireworks',
  'google_ai',
  'google_vertex',
  'groq',
  'hugging-face',
  'letta',
  'lmstudio_openai',
  'minimax',
  'mistral',
  'ollama',
  'openai',
  'together',
  'vllm',
  'sglang',
  'openrouter',
  'xai',
  'zai',
  'zai_coding',
] as const

type Template = Omit<ProviderRow, 'name'>

const compatible = (displayName: string, endpointType: string, baseUrl?: string): Template => ({
  displayName,
  kind: 'openai-compatible',
  providerType: endpointType,
  endpointType,
  ...(baseUrl === undefined ? {} : { baseUrl }),
})

/** Types that can be brought only: the server has no setting for them. All of them speak the API of OpenAI. */
const FURTHER: readonly Template[] = [
  compatible('SGLang', 'sglang'),
  compatible('Z.ai', 'zai', 'https://api.z.ai/api/paas/v4'),
  { ...compatible('Z.ai', 'zai', 'https://api.z.ai/api/coding/paas/v4'), providerType: 'zai_coding' },
  compatible('MiniMax', 'minimax', 'https://api.minimax.io/v1'),
  compatible('Baseten', 'baseten', 'https://inference.baseten.co/v1'),
]

/** What a client says of its provider. */
export interface BroughtProvider {
  name: string
  providerType: string
  baseUrl: string | null
  apiKey: string | undefined
}

/**
 * A provider as calls need it. Throws invalid_argument for a type that this server cannot call, and where an address is needed
 * and none is given, or one that is no http(s) URL.
 */
export function toBroughtProvider({ name, providerType, baseUrl, apiKey }: BroughtProvider): Provider {
  const template = [...PROVIDERS, ...FURTHER].find((row) => row.providerType === providerType)
  if (template === undefined) {
    const others = [...PROVIDERS, ...FURTHER].map((row) => row.providerType).join(', ')
    throw invalidArgument(
      `INVALID_ARGUMENT: provider_type ${providerType} cannot be called by this version of the server. It can call: ${others}. A server with the API of OpenAI is 'openai' with its base_url.`,
    )
  }
  // a server of the operator's own machines has a default address there; a tenant's is somewhere else
  const defaultUrl = template.isLocal ? undefined : template.baseUrl
  const address = baseUrl ?? defaultUrl
  if (address === undefined) {
    throw invalidArgument(`INVALID_ARGUMENT: a provider of type ${providerType} needs a base_url.`)
  }
  const url = URL.parse(address)
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw invalidArgument(
      'INVALID_ARGUMENT: base_url must be an address that begins with https:// or http://, without user and password.',
    )
  }
  return { ...template, name, apiKey, baseUrl: trimUrl(address), hasOwnUrl: baseUrl !== null }
}
