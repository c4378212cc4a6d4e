import { rulesOf, type ToolRule } from '#agent/tool-rules/tool-rule.ts'
import type { ToolCallPart, ToolDefinition } from '#llm/model.ts'
import type { NewMessage } from '#store/messages/message-row.ts'

/** Tools whose calls a person must agree to, or the client executes. */
export function askedTools(
  rules: readonly ToolRule[],
  tools: readonly ToolDefinition[],
  clientTools: readonly ToolDefinition[],
): ReadonlySet<string> {
  const names = new Set(tools.map((tool) => tool.name))
  const approved = rulesOf(rules, 'requires_approval').flatMap((rule) =>
    names.has(rule.tool_name) ? [rule.tool_name] : [],
  )
  return new Set([...approved, ...clientTools.map((tool) => tool.name)])
}

/** The id of the request that belongs to a model's message: the one before it, as clients of V1 know it. */
export function requestIdOf(messageId: string): string {
  const at = messageId.indexOf('-') + 1
  const before = BigInt(`0x${messageId.slice(at).replaceAll('-', '')}`) - 1n
  const hex = before.toString(16).padStart(32, '0')
  const uuid = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  return messageId.slice(0, at) + uuid
}

/**
 * A model's message with calls that wait, as it is stored: what it said, with the calls that are allowed and executed with the
 * others, and then the request.
 */
export function toRequest(message: NewMessage, asked: readonly ToolCallPart[]): NewMessage[] {
  const { tool_calls: calls = [], ...said } = message
  const allowed = calls.filter((call) => !asked.includes(call))
  const request: NewMessage = {
    id: requestIdOf(message.id),
    role: 'approval',
    content: [],
    tool_calls: [...asked],
    model: message.model ?? null,
    step_id: message.step_id ?? null,
    search_text: null,
  }
  if (message.content.length === 0 && allowed.length === 0) return [request]
  return [{ ...said, ...(allowed.length > 0 ? { tool_calls: allowed } : {}) }, request]
}
