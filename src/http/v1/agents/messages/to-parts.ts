import type { ImagePart, TextPart } from '#llm/model.ts'
import type { InputMessage } from './message-request-schema.ts'

export type Content = NonNullable<InputMessage['content']>

/** Content of the wire as it is stored. */
export function toParts(content: Content): (TextPart | ImagePart)[] {
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part): TextPart | ImagePart => {
    if (part.type === 'text') return { type: 'text', text: part.text }
    const { source } = part
    if ('url' in source) return { type: 'image', source }
    return {
      type: 'image',
      source: { type: 'base64', media_type: source.media_type, data: source.data, detail: source.detail ?? null },
    }
  })
}
