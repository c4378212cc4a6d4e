import { estimateTokens } from '#llm/estimate-tokens.ts'
import type { MessageRow } from '#store/messages/message-row.ts'

/** No message is shortened to fewer characters than this. */
const SHORTEST_CHARS = 200
/** Nothing that one message says is worth more of a summariser's attention. */
const LONGEST_CHARS = 12_000
/** Tokens of the name before a message and the line breaks around it. */
const LINE_TOKENS = 4

/** A part of a conversation, and how many messages it is of. */
export interface ConversationPiece {
  text: string
  messageCount: number
}

interface Piece {
  lines: string[]
  room: number
}

/**
 * A conversation as texts for a summariser: each of at most so many tokens, at most so many of them. Long messages lose their
 * middle until it all fits; if even that is too much, the middle of the conversation is left out.
 */
export function renderConversation(
  rows: readonly MessageRow[],
  { pieceTokens, maxPieces }: { pieceTokens: number; maxPieces: number },
): { pieces: ConversationPiece[]; leftOut: number } {
  for (let chars = LONGEST_CHARS; ; chars = Math.max(Math.floor(chars / 2), SHORTEST_CHARS)) {
    const lines = rows.flatMap((row) => renderRow(row, chars))
    const pieces = packLines(lines, pieceTokens)
    const fits = pieces.length <= maxPieces && pieces.every(({ room }) => room >= 0)
    if (!fits && chars > SHORTEST_CHARS) continue
    const head = Math.ceil(maxPieces / 2)
    const kept =
      pieces.length <= maxPieces
        ? pieces
        : [...pieces.slice(0, head), ...pieces.slice(pieces.length - (maxPieces - head))]
    return {
      pieces: kept.map((piece) => ({ text: piece.lines.join('\n'), messageCount: piece.lines.length })),
      leftOut: lines.length - kept.reduce((sum, piece) => sum + piece.lines.length, 0),
    }
  }
}

/** `room` is what is left of the tokens of a piece; below 0 where one line alone is too long. */
function packLines(lines: readonly string[], pieceTokens: number): Piece[] {
  const pieces: Piece[] = []
  for (const line of lines) {
    const tokens = estimateTokens(line) + LINE_TOKENS
    let piece = pieces.at(-1)
    if (piece === undefined || tokens > piece.room) {
      piece = { lines: [], room: pieceTokens }
      pieces.push(piece)
    }
    piece.lines.push(line)
    piece.room -= tokens
  }
  return pieces
}

/** One message, or none where it says nothing to a summariser. */
function renderRow(row: MessageRow, maxChars: number): string[] {
  const said = row.content.flatMap((part) => {
    if (part.type === 'text') return part.text.trim() === '' ? [] : [part.text]
    return part.type === 'image' ? ['(an image)'] : []
  })
  const calls = (row.tool_calls ?? []).map((call) => `calls ${call.name}(${call.arguments})`)
  const results = (row.tool_returns ?? []).map((result) => `${result.name} gave (${result.status}): ${result.text}`)
  const text = [...said, ...calls, ...results].join('\n')
  if (text === '') return []
  const name = row.role === 'assistant' ? 'agent' : row.role === 'summary' ? 'earlier summary' : row.role
  return [`${name}: ${shorten(text, maxChars)}`.replaceAll('</conversation>', '< /conversation>').toWellFormed()]
}

/** Beginning and end carry most of what a text is about. */
export function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text
  const head = text.slice(0, Math.ceil(maxChars * 0.7))
  const tail = text.slice(text.length - Math.floor(maxChars * 0.3))
  return `${head} […] ${tail}`
}
