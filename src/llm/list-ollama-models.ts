import type { GetJson, ListedModel } from './list-models.ts'

/** Models whose details are asked for; one small request each. */
const MAX_DETAILS = 32

interface Details {
  capabilities?: string[]
  model_info?: Record<string, unknown>
}

/** The models that an Ollama server has pulled; undefined where another server answers at this address. */
export async function listOllamaModels(root: string, getJson: GetJson): Promise<ListedModel[] | undefined> {
  const { status, body } = await getJson(`${root}/api/tags`)
  const tags = (body as { models?: { name?: string }[] } | undefined)?.models
  if (status !== 200 || !Array.isArray(tags)) return undefined
  const names = tags.map((tag) => tag.name).filter((name) => name !== undefined)
  return Promise.all(
    names.map(async (name, index) => {
      if (index >= MAX_DETAILS) return { name, isChat: !/embed/i.test(name) }
      const details = await getJson(`${root}/api/show`, { model: name }).catch(() => undefined)
      return toListed(name, details?.status === 200 ? (details.body as Details) : {})
    }),
  )
}

function toListed(name: string, { capabilities, model_info: info = {} }: Details): ListedModel {
  const isEmbedding = capabilities?.includes('embedding') ?? /embed/i.test(name)
  const find = (suffix: string): number | undefined => {
    const value = Object.entries(info).find(([key]) => key.endsWith(suffix))?.[1]
    return typeof value === 'number' ? value : undefined
  }
  return {
    name,
    contextWindow: find('.context_length'),
    hasVision: capabilities?.includes('vision'),
    hasReasoning: capabilities?.includes('thinking'),
    isChat: !isEmbedding,
    dimensions: isEmbedding ? find('.embedding_length') : undefined,
  }
}
