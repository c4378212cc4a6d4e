import type { MessageRow } from './message-row.ts'

/** What a message says: its texts, and what tools have told. */
export function messageText({ content, tool_returns: returns }: Pick<MessageRow, 'content' | 'tool_returns'>): string {
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []))
  return [...texts, ...(returns ?? []).map((result) => result.text)].join('\n')
}
