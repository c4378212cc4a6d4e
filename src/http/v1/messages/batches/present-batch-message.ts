import { presentTime } from '#http/wire/nullable.ts'
import type { ContentPart } from '#llm/model.ts'
import type { MessageRow } from '#store/messages/message-row.ts'

/** A stored message as V1 gave those of batches: whole, in the form in which it was stored, not in parts as everywhere else. */
export function presentBatchMessage(row: MessageRow): Record<string, unknown> {
  return {
    id: row.id,
    agent_id: row.agent_id,
    conversation_id: row.conversation_id,
    role: row.role,
    content: row.content.map(presentPart),
    name: row.name,
    model: row.model,
    tool_calls:
      row.tool_calls?.map((call) => ({
        id: call.tool_call_id,
        type: 'function',
        function: { name: call.name, arguments: call.arguments },
      })) ?? null,
    tool_call_id: row.tool_returns?.[0]?.tool_call_id ?? null,
    tool_returns:
      row.tool_returns?.map((result) => ({
        tool_call_id: result.tool_call_id,
        status: result.status,
        stdout: result.stdout,
        stderr: result.stderr,
        func_response: result.text,
      })) ?? null,
    step_id: row.step_id,
    run_id: row.run_id,
    batch_item_id: null,
    otid: row.otid,
    sender_id: row.sender_id,
    group_id: row.group_id,
    is_err: row.is_err,
    created_at: presentTime(row.created_at),
  }
}

/** What providers want back with a part is not for clients. */
function presentPart(part: ContentPart): Record<string, unknown> {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image':
      return { type: 'image', source: part.source }
    case 'reasoning':
      return { type: 'reasoning', is_native: true, reasoning: part.reasoning, signature: part.signature ?? null }
    case 'redacted_reasoning':
      return { type: 'omitted_reasoning' }
  }
}
