import type { ModelError } from '#llm/model.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { RunUsage, StopReason } from '#store/runs/run-row.ts'

/** What a run reports while it works; the wire's streams are made of it. */
export type RunEvent =
  | { type: 'run-start' }
  /** Pieces of a message that will be stored under `messageId`. `part` counts the kinds of content within the message. */
  | { type: 'reasoning-delta'; messageId: string; stepId: string; part: number; text: string; isThought?: boolean }
  | { type: 'text-delta'; messageId: string; stepId: string; part: number; text: string }
  | {
      type: 'tool-call-delta'
      messageId: string
      stepId: string
      part: number
      toolCallId: string
      name: string
      argumentsDelta: string
      /** Somebody must agree to the call, or execute it: it is part of a request. */
      isAsked?: boolean
    }
  /** A message was committed; with `hasDeltas` its content has gone out before in pieces. Told once for each message. */
  | { type: 'message'; message: MessageRow; hasDeltas?: boolean }
  /** The context is too long and is being compacted; the summary follows as a message. `at` is ISO 8601. */
  | {
      type: 'compaction'
      id: string
      trigger: string
      contextTokens: number
      contextWindow: number
      at: string
    }
  | { type: 'tool-start'; toolCallId: string; name: string }
  | { type: 'retry'; error: ModelError; delayMs: number }
  /** The last event of every run. */
  | {
      type: 'run-end'
      stopReason: StopReason
      usage: RunUsage
      stepCount: number
      error: RunFailure | null
      /** Runs of agents that work behind this one, due now. */
      companionRunIds?: readonly string[]
    }

export interface RunFailure {
  /** The wire's error_type: llm_rate_limit, llm_timeout, internal_error… */
  type: string
  /** For the client. */
  message: string
  detail: string | null
  /** The provider's error, where it was one. */
  cause: unknown
}

/** Events that a stream can be read again from; the others are news for whoever happens to listen. */
export type LoggedEvent = Exclude<RunEvent, { type: 'run-start' | 'tool-start' | 'retry' }>
export type FleetingEvent = Exclude<RunEvent, LoggedEvent>

export const isLogged = (event: RunEvent): event is LoggedEvent =>
  event.type !== 'run-start' && event.type !== 'tool-start' && event.type !== 'retry'

export type RunListener = (event: RunEvent) => void
