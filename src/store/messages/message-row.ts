import type { ContentPart, ImagePart, TextPart, ToolCallPart } from '#llm/model.ts'

/** Result of one call as stored in a tool message. */
export interface ToolReturn {
  tool_call_id: string
  name: string
  status: 'success' | 'error'
  /** The text without its envelope. */
  text: string
  stdout: string[] | null
  stderr: string[] | null
  /** ISO 8601, when the result was committed. */
  time: string
  /** The call was refused for a rule about tools. */
  is_violation?: boolean
  /** The turn ends with it: what was wrong is not for the model to mend. */
  is_fatal?: boolean
  /** What a client's tool returned beside text. */
  images?: ImagePart[]
}

/** What a person decided about a call, or what the client's own tool gave. */
export type Approval =
  | { type: 'approval'; tool_call_id: string; approve: boolean; reason: string | null }
  | {
      type: 'tool'
      tool_call_id: string
      tool_return: string | (TextPart | ImagePart)[]
      status: 'success' | 'error'
      stdout: string[] | null
      stderr: string[] | null
    }

/**
 * A `note` is ours: the model reads it, clients are not shown it. An `approval` with calls asks about them, one without answers.
 */
export type MessageRole = 'system' | 'user' | 'assistant' | 'tool' | 'approval' | 'summary' | 'note'

/** A row of `messages` as read; `search` is never read. */
export interface MessageRow {
  id: string
  seq: number
  agent_id: string
  conversation_id: string
  role: MessageRole
  content: ContentPart[]
  tool_calls: ToolCallPart[] | null
  tool_returns: ToolReturn[] | null
  approvals: Approval[] | null
  name: string | null
  model: string | null
  otid: string | null
  step_id: string | null
  run_id: string | null
  sender_id: string | null
  group_id: string | null
  is_err: boolean | null
  created_at: Date
}

/** A message to be stored; the database gives it its place in the order. */
export interface NewMessage {
  id: string
  role: MessageRole
  content: ContentPart[]
  tool_calls?: ToolCallPart[]
  tool_returns?: ToolReturn[]
  approvals?: Approval[]
  name?: string | null
  model?: string | null
  otid?: string | null
  step_id?: string | null
  sender_id?: string | null
  is_err?: boolean | null
  /** Words by which conversation_search finds it; none, or null, keeps it out of the index. */
  search_text: string | null
}

export const MESSAGE_COLUMNS =
  'm.id, m.seq, m.agent_id, m.conversation_id, m.role, m.content, m.tool_calls, m.tool_returns, m.approvals, m.name, m.model, m.otid, m.step_id, m.run_id, m.sender_id, m.group_id, m.is_err, m.created_at'

/** Where the rows of `newMessageRows` come from, as SQL: a relation of one row, and expressions over it. */
interface NewMessageSource {
  /** Relation that must have its row for anything to be inserted; `where` narrows it. */
  from: string
  where?: string
  json: string
  organizationId: string
  agentId: string
  conversationId: string
  runId: string
}

/** The select that turns `NewMessage[]` (a JSON array) into rows of `messages`, in order; for use inside an insert. */
export function newMessageRows(source: NewMessageSource): string {
  return `select ${source.organizationId}, n.id, ${source.agentId}, ${source.conversationId}, n.role, n.content, n.tool_calls,
      n.tool_returns, n.approvals, n.name, n.model, n.otid, n.step_id, ${source.runId}, n.sender_id, n.is_err,
      perdure_words(nullif(n.search_text, ''))
    from ${source.from}
    cross join lateral jsonb_array_elements(${source.json}) with ordinality as item (value, position)
    cross join lateral jsonb_to_record(item.value) as n (id text, role text, content jsonb, tool_calls jsonb, tool_returns jsonb,
      approvals jsonb, name text, model text, otid text, step_id text, sender_id text, is_err boolean, search_text text)
    ${source.where === undefined ? '' : `where ${source.where}`}
    order by item.position`
}

export const NEW_MESSAGE_COLUMNS =
  'organization_id, id, agent_id, conversation_id, role, content, tool_calls, tool_returns, approvals, name, model, otid, step_id, run_id, sender_id, is_err, search'
