import type { InputMessage } from '#http/v1/agents/messages/message-request-schema.ts'
import { invalidArgument } from '#platform/errors.ts'

/** A message of either API, as far as it is read. */
interface GivenMessage {
  type?: string | null
  role?: string
  content?: unknown
  name?: string | null
}

type Parts = Exclude<NonNullable<InputMessage['content']>, string>

/**
 * What the user has said since the last answer: the agent has the rest in its own memory, and its own system prompt.
 * Throws invalid_argument where there is none, and for content that no agent reads.
 */
export function toInputMessages(messages: readonly GivenMessage[]): InputMessage[] {
  const lastAnswer = messages.findLastIndex(({ role }) => role === 'assistant')
  const said = messages.slice(lastAnswer + 1).filter(({ role }) => role === 'user')
  if (said.length === 0) {
    throw invalidArgument('There is nothing to answer: the last message must be one of the role user.')
  }
  return said.map(({ content, name }) => ({ role: 'user', content: toContent(content), name: name ?? null }))
}

function toContent(content: unknown): NonNullable<InputMessage['content']> {
  if (typeof content === 'string') return content
  if (!Array.isArray(content) || content.length === 0) throw invalidArgument('A message of the user has no content.')
  return content.map(toPart)
}

/** Of chat completions (`text`, `image_url`) and of responses (`input_text`, `input_image`). */
function toPart(part: Record<string, unknown>): Parts[number] {
  const { type, text, image_url: image } = part
  if ((type === 'text' || type === 'input_text') && typeof text === 'string') return { type: 'text', text }
  if (type === 'image_url' || type === 'input_image') {
    const url = typeof image === 'string' ? image : (image as { url?: unknown } | null | undefined)?.url
    if (typeof url === 'string') return { type: 'image', source: toImageSource(url) }
  }
  throw invalidArgument(
    `Content of the type '${String(type)}' is not read: send text, or images as URLs or data URLs (base64).`,
  )
}

type ImageSource = Extract<Parts[number], { type: 'image' }>['source']

function toImageSource(url: string): ImageSource {
  const data = /^data:(image\/[\w.+-]+);base64,([A-Za-z0-9+/=_-]+)$/.exec(url)
  if (data !== null) return { type: 'base64', media_type: data[1] ?? '', data: data[2] ?? '' }
  if (/^https?:\/\//.test(url)) return { type: 'url', url }
  throw invalidArgument('An image must be an https:// address or a data URL: data:image/png;base64,…')
}
