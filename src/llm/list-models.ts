import type { ModelFetch } from './fetch.ts'
import { listOllamaModels } from './list-ollama-models.ts'
import { toModelError } from './model-errors.ts'
import { isOpenAiItself, type Provider } from './provider-table.ts'

/** What a provider says of one of its models. Undefined is what it does not say. */
export interface ListedModel {
  name: string
  displayName?: string | undefined
  contextWindow?: number | undefined
  maxOutputTokens?: number | undefined
  hasVision?: boolean | undefined
  hasReasoning?: boolean | undefined
  /** Whether it belongs in the list of chat models; others can be called all the same. */
  isChat: boolean
  /** Length of its vectors, where it makes some. */
  dimensions?: number | undefined
}

export interface Listing {
  /** The form of the base URL that answers, with its version segment. */
  baseUrl: string
  /** Undefined where the provider gave no list. */
  models: ListedModel[] | undefined
  /** Why there is none. */
  problem?: string
  /** It gives none to this key. */
  isKeyRefused?: boolean
}

/** Answer to a GET: the parsed body, or the status of a refusal. */
export type JsonAnswer = { status: number; body: unknown }
export type GetJson = (url: string, body?: unknown) => Promise<JsonAnswer>

const LIST_TIMEOUT_MS = 5_000

/** OpenAI's models that take part in a conversation, by V1's rule; its list also has image, audio and search models. */
const OPENAI_CHAT = /^(gpt-[4-9]|o[1-9])/
const OPENAI_OTHER = /transcribe|search|realtime|tts|audio|computer|image|o1-mini|o1-preview|o1-pro/
const NO_CHAT = /embed|whisper|[-_/]tts|transcri|moderation|rerank|dall-e|stable-diffusion|flux|imagen|guard|bge-|ocr/i

/** Length of Gemini's vectors by model, written down by hand: its list does not have it. */
const GOOGLE_DIMENSIONS: Record<string, number> = {
  'gemini-embedding-001': 3072,
  'text-embedding-004': 768,
  'embedding-001': 768,
}

/** Asks a provider for its models. Never throws: `problem` says why there is no list. Takes five seconds at most. */
export async function listProviderModels(provider: Provider, fetch: ModelFetch): Promise<Listing> {
  const getJson = jsonGetter(provider, fetch)
  const candidates = provider.hasOwnUrl || provider.isLocal ? baseUrlForms(provider) : [provider.baseUrl]
  let problem = 'it has no list of models'
  try {
    if (provider.listsLikeOllama) {
      const root = provider.baseUrl.replace(/\/v1$/, '')
      const models = await listOllamaModels(root, getJson)
      if (models !== undefined) return { baseUrl: `${root}/v1`, models }
    }
    for (const baseUrl of candidates) {
      const { status, body } = await getJson(`${baseUrl}${listPath(provider)}`)
      const rows = status === 200 ? findRows(body) : undefined
      // an empty list says less than a model that was asked for: some gateways have one
      if (rows !== undefined && rows.length > 0) return { baseUrl, models: rows.map((row) => toListed(row, provider)) }
      if (isRefusal(status, body, provider)) {
        return { baseUrl, models: undefined, problem: 'it refuses the key', isKeyRefused: true }
      }
      if (rows !== undefined) return { baseUrl, models: undefined, problem: 'its list of models is empty' }
      problem = `it answers ${status} to a request for its models`
    }
  } catch (error) {
    const source = { providerName: provider.displayName, baseUrl: provider.baseUrl, apiKey: provider.apiKey }
    problem = isTimeout(error)
      ? `it gave no list of its models within ${LIST_TIMEOUT_MS / 1000} s`
      : toModelError(error, source).message
  }
  return { baseUrl: versioned(provider), models: undefined, problem }
}

/** Gemini's API calls a wrong key a bad request. */
function isRefusal(status: number, body: unknown, { kind }: Provider): boolean {
  if (status === 401 || status === 403) return true
  return kind === 'google' && status === 400 && /api[_ ]key/i.test(JSON.stringify(body ?? ''))
}

const isTimeout = (error: unknown): boolean => error instanceof DOMException && error.name === 'TimeoutError'

const segmentOf = (provider: Provider): string => (provider.kind === 'google' ? 'v1beta' : 'v1')
const VERSION_SEGMENT = /\/v\d+(beta\d*|alpha\d*)?$/

const versioned = (provider: Provider): string =>
  VERSION_SEGMENT.test(provider.baseUrl) || !(provider.hasOwnUrl || provider.isLocal)
    ? provider.baseUrl
    : `${provider.baseUrl}/${segmentOf(provider)}`

/** The address as it was given, then with its version segment added or taken away. */
function baseUrlForms(provider: Provider): string[] {
  const { baseUrl } = provider
  const other = VERSION_SEGMENT.test(baseUrl) ? baseUrl.replace(VERSION_SEGMENT, '') : versioned(provider)
  return [baseUrl, other]
}

function listPath({ kind }: Provider): string {
  if (kind === 'anthropic') return '/models?limit=1000'
  return kind === 'google' ? '/models?pageSize=1000' : '/models'
}

function jsonGetter({ kind, apiKey }: Provider, fetch: ModelFetch): GetJson {
  const headers: Record<string, string> = { accept: 'application/json' }
  if (kind === 'anthropic') headers['anthropic-version'] = '2023-06-01'
  if (apiKey !== undefined) {
    if (kind === 'anthropic') headers['x-api-key'] = apiKey
    else if (kind === 'google') headers['x-goog-api-key'] = apiKey
    else headers.authorization = `Bearer ${apiKey}`
  }
  const signal = AbortSignal.timeout(LIST_TIMEOUT_MS)
  return async (url, body) => {
    const request =
      body === undefined
        ? { headers, signal }
        : {
            method: 'POST',
            headers: { ...headers, 'content-type': 'application/json' },
            body: JSON.stringify(body),
            signal,
          }
    const response = await fetch(url, request)
    const text = await response.text()
    try {
      return { status: response.status, body: JSON.parse(text) }
    } catch {
      return { status: response.status, body: undefined }
    }
  }
}

/** One row of a list, in the words of all the providers that we know. */
interface Row {
  id?: string
  name?: string
  type?: string
  display_name?: string
  displayName?: string
  context_length?: number
  context_window?: number
  max_context_length?: number
  max_model_len?: number
  max_input_tokens?: number
  inputTokenLimit?: number
  outputTokenLimit?: number
  max_completion_tokens?: number
  max_tokens?: number
  top_provider?: { max_completion_tokens?: number | null }
  meta?: { n_ctx?: number; n_ctx_train?: number } | null
  architecture?: { input_modalities?: string[] }
  supportedGenerationMethods?: string[]
  capabilities?: { completion_chat?: boolean }
}

/** `{data: […]}` as OpenAI and Anthropic have it, `{models: […]}` as Google, a bare array as Together. */
function findRows(body: unknown): Row[] | undefined {
  const list = Array.isArray(body)
    ? body
    : ((body as { data?: unknown; models?: unknown } | null)?.data ?? models(body))
  if (!Array.isArray(list)) return undefined
  return list.filter((row) => typeof (row?.id ?? row?.name) === 'string')
}

const models = (body: unknown): unknown => (body as { models?: unknown } | null)?.models

function toListed(row: Row, provider: Provider): ListedModel {
  if (provider.kind === 'google') return toListedGoogle(row)
  const name = row.id ?? row.name ?? ''
  return {
    name,
    displayName: row.display_name,
    contextWindow: positive(
      row.context_length,
      row.context_window,
      row.max_model_len,
      row.max_context_length,
      row.meta?.n_ctx,
      row.max_input_tokens,
      row.meta?.n_ctx_train,
    ),
    maxOutputTokens: positive(row.top_provider?.max_completion_tokens, row.max_completion_tokens, row.max_tokens),
    hasVision: row.architecture?.input_modalities?.includes('image'),
    isChat: isChat(row, name, provider),
  }
}

function isChat(row: Row, name: string, provider: Provider): boolean {
  if (isOpenAiItself(provider)) return OPENAI_CHAT.test(name) && !OPENAI_OTHER.test(name)
  if (row.capabilities?.completion_chat === false) return false
  const hasOtherType = /^(embedding|image|audio|moderation|rerank|transcribe|video)$/.test(row.type ?? '')
  return !hasOtherType && !NO_CHAT.test(name)
}

function toListedGoogle(row: Row): ListedModel {
  const name = (row.name ?? row.id ?? '').replace(/^models\//, '')
  const methods = row.supportedGenerationMethods
  return {
    name,
    displayName: row.displayName ?? row.display_name,
    contextWindow: positive(row.inputTokenLimit),
    maxOutputTokens: positive(row.outputTokenLimit),
    isChat: methods === undefined ? !NO_CHAT.test(name) : methods.includes('generateContent') && !NO_CHAT.test(name),
    dimensions: methods?.includes('embedContent') ? GOOGLE_DIMENSIONS[name] : undefined,
  }
}

const positive = (...values: (number | null | undefined)[]): number | undefined =>
  values.find((value): value is number => typeof value === 'number' && value > 0)
