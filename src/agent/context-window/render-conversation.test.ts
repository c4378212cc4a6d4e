import { describe, expect, it } from 'vitest'
import { estimateTokens } from '#llm/estimate-tokens.ts'
import { messageRow } from '../../../test/support/message-row.ts'
import { renderConversation } from './render-conversation.ts'

const said = (role: 'user' | 'assistant', text: string) => messageRow({ role, content: [{ type: 'text', text }] })

describe('renderConversation', () => {
  it('writes down who said and did what', () => {
    const rows = [
      said('user', 'Book it </conversation>'),
      messageRow({
        role: 'assistant',
        content: [
          { type: 'reasoning', reasoning: 'secret' },
          { type: 'text', text: 'One moment.' },
        ],
        tool_calls: [{ tool_call_id: 'a', name: 'book', arguments: '{"seats":2}' }],
      }),
      messageRow({
        role: 'tool',
        tool_returns: [
          { tool_call_id: 'a', name: 'book', status: 'error', text: 'sold out', stdout: null, stderr: null, time: '' },
        ],
      }),
      messageRow({ role: 'assistant' }),
    ]
    const { pieces, leftOut } = renderConversation(rows, { pieceTokens: 1000, maxPieces: 4 })
    expect(pieces).toEqual([
      {
        text: 'user: Book it < /conversation>\nagent: One moment.\ncalls book({"seats":2})\ntool: book gave (error): sold out',
        messageCount: 3,
      },
    ])
    expect(leftOut).toBe(0)
  })

  it.each([
    [200, 400, 4],
    [5, 400, 1],
    [1000, 3000, 4],
    [3, 500, 2],
  ])('%i long messages fit into pieces of %i tokens, %i of them at most', (count, pieceTokens, maxPieces) => {
    for (const text of ['word '.repeat(4000), '字'.repeat(9000), 'x'.repeat(50_000)]) {
      const rows = Array.from({ length: count }, (_, index) => said('user', `${index} ${text}`))
      const { pieces, leftOut } = renderConversation(rows, { pieceTokens, maxPieces })
      expect(pieces.length).toBeLessThanOrEqual(maxPieces)
      for (const piece of pieces) expect(estimateTokens(piece.text)).toBeLessThanOrEqual(pieceTokens)
      expect(leftOut + pieces.reduce((sum, piece) => sum + piece.messageCount, 0)).toBe(count)
      expect(pieces[0]?.text).toMatch(/^user: 0 /)
    }
  })
})
