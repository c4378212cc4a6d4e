import type { ContentPart } from '#llm/model.ts'
import { formatPromptTime } from '#platform/time-format.ts'
import type { ThreadToExport } from '#store/conversations/find-thread-to-export.ts'
import type { MessageRow, ToolReturn } from '#store/messages/message-row.ts'

/** The messages in context as a file has them, the system message first. What no client is shown stays here. */
export function presentFileMessages(
  agentId: string,
  timezone: string,
  thread: ThreadToExport,
  rows: readonly MessageRow[],
): Record<string, unknown>[] {
  const system = message({
    id: 'message-0',
    agent_id: agentId,
    role: 'system',
    content: presentContent([{ type: 'text', text: thread.system_prompt }]),
    created_at: thread.system_message_created_at.toISOString(),
  })
  const shown = rows.filter((row) => row.role !== 'note')
  return [system, ...shown.map((row, index) => presentRow(row, `message-${index + 1}`, agentId, timezone))]
}

function presentRow(row: MessageRow, id: string, agentId: string, timezone: string): Record<string, unknown> {
  const returns = row.tool_returns ?? []
  const [first] = returns
  const calls = row.tool_calls ?? []
  return message({
    id,
    agent_id: agentId,
    role: row.role,
    content: first === undefined ? presentContent(row.content) : [{ type: 'text', text: packaged(first, timezone) }],
    name: row.name ?? first?.name ?? null,
    otid: row.otid,
    sender_id: row.sender_id,
    model: row.model,
    tool_calls:
      calls.length === 0
        ? null
        : calls.map(({ tool_call_id, name, arguments: args, provider_metadata }) => ({
            id: tool_call_id,
            function: { name, arguments: args },
            type: 'function',
            ...(provider_metadata === undefined ? {} : { provider_metadata }),
          })),
    tool_call_id: first?.tool_call_id ?? null,
    tool_returns: returns.map((result) => ({
      tool_call_id: result.tool_call_id,
      status: result.status,
      stdout: result.stdout,
      stderr: result.stderr,
      func_response: packaged(result, timezone),
    })),
    approvals: row.approvals ?? [],
    created_at: row.created_at.toISOString(),
  })
}

/** Every field, as V1 wrote it. */
const message = (given: Record<string, unknown>): Record<string, unknown> => ({
  type: 'message',
  name: null,
  otid: null,
  sender_id: null,
  batch_item_id: null,
  group_id: null,
  model: null,
  tool_calls: null,
  tool_call_id: null,
  tool_returns: [],
  approve: null,
  approval_request_id: null,
  denial_reason: null,
  approvals: [],
  ...given,
})

function presentContent(content: readonly ContentPart[]): Record<string, unknown>[] {
  return content.map((part) => {
    if (part.type === 'text') return { signature: null, ...part }
    if (part.type === 'reasoning') return { is_native: true, ...part, signature: part.signature ?? null }
    return { ...part }
  })
}

/** The envelope in which V1 kept results. */
function packaged({ status, text, time }: ToolReturn, timezone: string): string {
  return JSON.stringify({
    status: status === 'success' ? 'OK' : 'Failed',
    message: text,
    time: formatPromptTime(new Date(time), timezone),
  })
}
