import type { Api } from './api.ts'
import type { ModelEntry } from './wire.ts'

export const DEMO_MODEL = 'perdure/demo'

/** Handles of the models that the server can call now. */
export async function listHandles(api: Api): Promise<string[]> {
  return (await api.get<ModelEntry[]>('/v1/models/')).map((model) => model.handle)
}

/** The model of a new agent: the one that the user named, else the first real one, else the demonstration. */
export function chooseModel(named: string | undefined, handles: readonly string[]): string {
  return named ?? handles.find((handle) => handle !== DEMO_MODEL) ?? DEMO_MODEL
}

/** What to tell about the model that answers; undefined where there is nothing. */
export function adviseOnModel(model: string, handles: readonly string[]): string | undefined {
  const real = handles.find((handle) => handle !== DEMO_MODEL)
  if (!handles.includes(model)) {
    const others = handles.slice(0, 8).join(', ')
    return `The server does not list ${model} at the moment. Change it with /model; it lists: ${others || 'none'}.`
  }
  if (model !== DEMO_MODEL) return undefined
  return real === undefined
    ? 'A demonstration answers, not a language model: start the server with OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or OLLAMA_BASE_URL for a real one.'
    : `A demonstration answers, not a language model. For a real one: /model ${real}`
}
