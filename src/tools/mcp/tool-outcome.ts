import type { CallToolResult } from '@modelcontextprotocol/client'
import type { ImagePart } from '#llm/model.ts'
import type { ToolOutcome } from '#tools/tool.ts'

/** Of one result; more, or larger ones, are told and left out. */
const MAX_IMAGES = 10
const MAX_IMAGE_CHARS = 7_000_000
const IMAGE_TYPE = /^image\/(png|jpeg|gif|webp)$/

type Content = CallToolResult['content'][number]

/** What a server answered, as a model reads it: texts joined by a space as in V1, images as images, the rest as JSON. */
export function toToolOutcome({ content, structuredContent, isError }: CallToolResult): ToolOutcome {
  const images: ImagePart[] = []
  const parts = content.map((part) => toText(part, images)).filter((text) => text !== '')
  // servers are asked to repeat it as text for clients that do not know it
  if (parts.length === 0 && images.length === 0 && structuredContent !== undefined) {
    parts.push(JSON.stringify(structuredContent))
  }
  const text = parts.join(' ') || (images.length > 0 ? `${images.length} image${images.length > 1 ? 's' : ''}` : '')
  return {
    status: isError === true ? 'error' : 'success',
    text: text === '' ? 'Empty response from tool' : text,
    ...(images.length > 0 && { images }),
  }
}

function toText(part: Content, images: ImagePart[]): string {
  if (part.type === 'text') return part.text
  if (part.type === 'image') return takeImage(part, images)
  if (part.type === 'audio') return `[audio, ${part.mimeType}, ${part.data.length} characters of base64, left out]`
  if (part.type === 'resource_link') return JSON.stringify(part)
  const { resource } = part
  return 'text' in resource
    ? JSON.stringify(resource)
    : JSON.stringify({ ...resource, blob: `[${resource.blob.length} characters of base64, left out]` })
}

function takeImage({ data, mimeType }: { data: string; mimeType: string }, images: ImagePart[]): string {
  if (!IMAGE_TYPE.test(mimeType) || data.length > MAX_IMAGE_CHARS || images.length === MAX_IMAGES) {
    return `[image, ${mimeType}, ${data.length} characters of base64, left out]`
  }
  images.push({ type: 'image', source: { type: 'base64', media_type: mimeType, data } })
  return ''
}
