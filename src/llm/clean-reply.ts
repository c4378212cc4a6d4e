import type { ModelReply, Usage } from './model.ts'

/** The columns of token counts are 32-bit integers, and two counts are added up. */
const MAX_TOKENS = 1_000_000_000

/** Without what PostgreSQL can store neither in text nor in jsonb: NUL, and half of a surrogate pair (becomes U+FFFD). */
export const cleanText = (text: string): string => text.replaceAll('\0', '').toWellFormed()

/** A reply as it can be stored, whatever the model wrote: texts, names, arguments, signatures, metadata and token counts. */
export function cleanReply(reply: ModelReply): ModelReply {
  return {
    ...reply,
    content: cleanStrings(reply.content),
    toolCalls: cleanStrings(reply.toolCalls),
    usage: cleanUsage(reply.usage),
  }
}

function cleanStrings<Value>(value: Value): Value {
  const clean = (item: unknown): unknown => {
    if (typeof item === 'string') return cleanText(item)
    if (Array.isArray(item)) return item.map(clean)
    if (typeof item !== 'object' || item === null) return item
    return Object.fromEntries(Object.entries(item).map(([key, member]) => [cleanText(key), clean(member)]))
  }
  return clean(value) as Value
}

const toCount = (tokens: number): number => (tokens > 0 ? Math.min(Math.round(tokens), MAX_TOKENS) : 0)

function cleanUsage(usage: Usage): Usage {
  const orNull = (tokens: number | null) => (tokens === null ? null : toCount(tokens))
  return {
    inputTokens: toCount(usage.inputTokens),
    outputTokens: toCount(usage.outputTokens),
    cachedInputTokens: orNull(usage.cachedInputTokens),
    cacheWriteTokens: orNull(usage.cacheWriteTokens),
    reasoningTokens: orNull(usage.reasoningTokens),
  }
}
