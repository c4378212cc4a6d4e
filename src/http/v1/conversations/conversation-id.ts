import Type from 'typebox'
import { unprocessable } from '#platform/errors.ts'
import type { NewRun } from '#store/runs/start-run.ts'

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** A conversation's id, `default` for the default one of the agent that the request names, or (as V1 once had it) an agent's id. */
export const ConversationId = Type.String({
  pattern: `^(default|conv-${UUID}|agent-${UUID})$`,
  description: "A conversation id, or 'default' together with agent_id",
})

/** The thread that a path means. Throws unprocessable where `default` comes without an agent. */
export function toThread(conversationId: string, agentId: string | null | undefined): NewRun['thread'] {
  if (conversationId.startsWith('agent-')) return { agentId: conversationId }
  if (conversationId !== 'default') return { conversationId }
  if (agentId == null) throw unprocessable("agent_id is needed with the conversation 'default'.")
  return { agentId }
}
