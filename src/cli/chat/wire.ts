/** What the chat reads of the wire's objects; they have many more fields. */
export interface Agent {
  id: string
  name: string
  model: string
  created_at: string
  last_run_completion: string | null
}

export interface Block {
  label: string
  value: string
  limit: number
  read_only: boolean
}

export interface ModelEntry {
  handle: string
}

export interface ToolCallWire {
  name: string
  tool_call_id: string
}

export interface ToolReturnWire {
  tool_call_id: string
  status: 'success' | 'error'
  tool_return: string
}

/** A failure as streams tell it. */
export interface ErrorEvent {
  message_type: 'error_message'
  error_type: string
  message: string
}

/** The events of a streamed turn that the chat shows. In pieces `tool_calls` is one object, else a list. */
export type TurnEvent =
  | { message_type: 'ping'; run_id: string | null }
  | { message_type: 'reasoning_message'; reasoning: string }
  | { message_type: 'assistant_message'; content: string | { type: string; text?: string }[] }
  | { message_type: 'tool_call_message'; tool_call: ToolCallWire; tool_calls: ToolCallWire | ToolCallWire[] }
  | { message_type: 'tool_return_message'; tool_returns: ToolReturnWire[] }
  | { message_type: 'stop_reason'; stop_reason: string }
  | ErrorEvent
