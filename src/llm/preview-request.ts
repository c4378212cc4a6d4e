import type { LanguageModelV4CallOptions } from '@ai-sdk/provider'
import type { ModelFetch } from './fetch.ts'
import type { PartStream } from './language-model.ts'
import type { Model, ModelRequest } from './model.ts'

class NotSent extends Error {}

/**
 * The body that a provider would get, as its own package writes it: the request goes as far as `fetch`, and no further. Addresses and
 * headers, and so keys, are not part of it.
 */
export async function captureBody(
  makePartStream: (fetch: ModelFetch) => Promise<PartStream>,
  options: LanguageModelV4CallOptions,
): Promise<Record<string, unknown>> {
  let body: string | undefined
  const capture: ModelFetch = async (_url, init) => {
    if (typeof init?.body === 'string') body = init.body
    throw new NotSent('this request is only looked at')
  }
  const streamParts = await makePartStream(capture)
  try {
    // the first look sends the request
    for await (const _ of streamParts(options)) break
  } catch (error) {
    if (body === undefined) throw error
  }
  return JSON.parse(body ?? '{}') as Record<string, unknown>
}

/** What a model would be asked, as its provider would read it; a model in this process reads the request itself. */
export async function previewRequest(model: Model, request: ModelRequest): Promise<Record<string, unknown>> {
  if (model.preview !== undefined) return model.preview(request)
  const { messages, tools, toolChoice, settings } = request
  return { model: model.info.name, messages, tools, tool_choice: toolChoice, settings }
}
