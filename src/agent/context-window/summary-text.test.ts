import { expect, it } from 'vitest'
import { readSummaryMessage, toMessageText, toSummaryMessage } from './summary-text.ts'

const stats = {
  trigger: 'manual' as const,
  context_tokens_before: 9000,
  context_tokens_after: 3000,
  context_window: 10_000,
  messages_count_before: 40,
  messages_count_after: 12,
}
const at = { timezone: 'Europe/Berlin', now: new Date('2026-01-02T03:04:05Z') }

it.each([
  { summary: 'They spoke of boats.\nSummary of the earlier messages:\nof trains too.', leftOut: 0 },
  { summary: '', leftOut: 1 },
  { summary: 'Boats.', leftOut: 30 },
])('is read as it was written: %j', (content) => {
  const message = toSummaryMessage(content, stats, at)
  expect(message).toMatchObject({ role: 'summary', search_text: null })
  expect(readSummaryMessage(message.content)).toEqual({ ...content, message: toMessageText(content), stats })
  if (content.leftOut > 0) expect(toMessageText(content)).toMatch(/left out without a summary.*conversation_search/)
})

it('takes what others have written as it is', () => {
  const text = JSON.stringify({ type: 'system_alert', message: 'Note: boats.', time: 'now' })
  expect(readSummaryMessage([{ type: 'text', text }])).toMatchObject({
    summary: 'Note: boats.',
    leftOut: 0,
    stats: null,
  })
  expect(readSummaryMessage([{ type: 'text', text: '{ broken' }])).toMatchObject({ summary: '{ broken' })
  expect(readSummaryMessage([{ type: 'text', text: 'Plain.' }])).toMatchObject({ summary: 'Plain.' })
})
