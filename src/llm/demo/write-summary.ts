import type { ModelRequest } from '#llm/model.ts'

const CONVERSATION = /<conversation>\n([\s\S]*)\n<\/conversation>/
const EARLIER = /<earlier_summary>\n([\s\S]*)\n<\/earlier_summary>/
/** Characters of one message that are repeated, and of the whole summary. */
const MESSAGE_CHARS = 160
const SUMMARY_CHARS = 4_000

/** A summary in the way of a script, where one is asked for: the beginnings of what the user said. Undefined elsewhere. */
export function findSummary(request: ModelRequest): string | undefined {
  const last = request.messages.at(-1)
  if (last?.role !== 'user') return undefined
  const text = last.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
  const conversation = CONVERSATION.exec(text)?.[1]
  if (conversation === undefined) return undefined
  const said = conversation
    .split('\n')
    .filter((line) => line.startsWith('user: '))
    .map((line) => `- ${line.slice('user: '.length, MESSAGE_CHARS)}`)
  const summary = [EARLIER.exec(text)?.[1], 'The user said:', ...said].filter((part) => part !== undefined).join('\n')
  return summary.slice(-SUMMARY_CHARS).toWellFormed()
}
