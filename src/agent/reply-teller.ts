import { cleanText } from '#llm/clean-reply.ts'
import type { RunListener } from '#runs/run-events.ts'
import { requestIdOf } from './approvals/asked-calls.ts'
import { ArgumentScanner } from './argument-scanner.ts'
import { THINKING } from './inner-thoughts.ts'

/** How the pieces of an answer are told. */
export interface Hearing {
  /** Text is thinking. */
  isThought: boolean
  /** Tools whose calls hold thoughts. */
  thinking: ReadonlySet<string>
  /** Tools whose calls are part of a request, not of the message. */
  asked: ReadonlySet<string>
  /** The tool, and the argument of it, that clients are told as what the agent says. */
  voice: { tool: string; argument: string } | null
}

interface Call {
  id: string
  name: string
  scanner: ArgumentScanner | undefined
  isVoice: boolean
}

/** NUL is stored nowhere, so nobody hears it; half a surrogate pair can have its other half in the next piece. */
const cleanPiece = (text: string): string => text.replaceAll('\0', '')

/** Tells the pieces of one answer as what they are for the client: reasoning, text, or calls. */
export class ReplyTeller {
  readonly #ids: { messageId: string; stepId: string }
  readonly #hearing: Hearing
  readonly #emit: RunListener
  readonly #calls = new Map<string, Call>()
  // each change of kind begins a new part of the message
  #part = -1
  #kind = ''

  constructor(ids: { messageId: string; stepId: string }, hearing: Hearing, emit: RunListener) {
    this.#ids = ids
    this.#hearing = hearing
    this.#emit = emit
  }

  reasoning(text: string): void {
    this.#emit({ type: 'reasoning-delta', ...this.#ids, part: this.#enter('reasoning'), text: cleanPiece(text) })
  }

  text(text: string): void {
    if (this.#hearing.isThought) this.#thought(text)
    else this.#say(text)
  }

  startCall(toolCallId: string, toolName: string): void {
    const name = cleanText(toolName)
    const isVoice = this.#hearing.voice?.tool === name && !this.#hearing.asked.has(name)
    const apart = new Set([
      ...(this.#hearing.thinking.has(name) ? [THINKING] : []),
      ...(isVoice && this.#hearing.voice !== null ? [this.#hearing.voice.argument] : []),
    ])
    const scanner = apart.size > 0 ? new ArgumentScanner(apart) : undefined
    this.#calls.set(toolCallId, { id: cleanText(toolCallId), name, scanner, isVoice })
    // what the agent says is no call for the client, and thoughts come first
    if (scanner === undefined) this.#call(toolCallId, '')
  }

  callArguments(toolCallId: string, delta: string): void {
    const call = this.#calls.get(toolCallId)
    if (call?.scanner === undefined) {
      this.#call(toolCallId, delta)
      return
    }
    for (const piece of call.scanner.write(delta)) {
      if (piece.key === null) {
        if (!call.isVoice) this.#call(toolCallId, piece.text)
      } else if (piece.key === THINKING && this.#hearing.thinking.has(call.name)) this.#thought(piece.text)
      else this.#say(piece.text)
    }
  }

  #say(text: string): void {
    this.#emit({ type: 'text-delta', ...this.#ids, part: this.#enter('text'), text: cleanPiece(text) })
  }

  #thought(text: string): void {
    const part = this.#enter('thought')
    this.#emit({ type: 'reasoning-delta', ...this.#ids, part, text: cleanPiece(text), isThought: true })
  }

  #call(toolCallId: string, argumentsDelta: string): void {
    const call = this.#calls.get(toolCallId)
    const isAsked = call !== undefined && this.#hearing.asked.has(call.name)
    this.#emit({
      type: 'tool-call-delta',
      ...this.#ids,
      part: this.#enter(isAsked ? 'request' : 'tool-call'),
      toolCallId: call?.id ?? cleanText(toolCallId),
      name: call?.name ?? '',
      argumentsDelta: cleanPiece(argumentsDelta),
      ...(isAsked ? { messageId: requestIdOf(this.#ids.messageId), isAsked } : {}),
    })
  }

  #enter(kind: string): number {
    if (this.#kind !== kind) {
      this.#kind = kind
      this.#part += 1
    }
    return this.#part
  }
}
