import Type from 'typebox'
import { type ContextDescription, describeContext } from '#agent/describe-context.ts'
import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { loopOptions } from '#http/v1/agents/messages/loop-options.ts'
import { ConversationId, toThread } from '#http/v1/conversations/conversation-id.ts'
import { AnyObject, Nullable } from '#http/wire/nullable.ts'
import { InternalMessageSchema, presentInternalMessage } from '#http/wire/present-internal-message.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { AgentId } from './agent-schema.ts'

const ContextWindow = Type.Object({
  context_window_size_max: Type.Integer({ description: 'Tokens that prompt and reply may have together' }),
  context_window_size_current: Type.Integer({ description: 'Estimated tokens of all parts' }),
  num_messages: Type.Integer({ description: 'Messages in context, with the system message' }),
  num_archival_memory: Type.Integer(),
  num_recall_memory: Type.Integer({ description: 'Messages of the agent in all its conversations' }),
  num_tokens_external_memory_summary: Type.Integer(),
  external_memory_summary: Type.String(),
  num_tokens_system: Type.Integer(),
  system_prompt: Type.String({ description: "The agent's own instructions" }),
  num_tokens_core_memory: Type.Integer(),
  core_memory: Type.String(),
  num_tokens_memory_filesystem: Type.Integer(),
  memory_filesystem: Type.Null(),
  num_tokens_tool_usage_rules: Type.Integer(),
  tool_usage_rules: Nullable(Type.String()),
  num_tokens_directories: Type.Integer(),
  directories: Nullable(Type.String()),
  num_tokens_summary_memory: Type.Integer(),
  summary_memory: Nullable(Type.String()),
  num_tokens_functions_definitions: Type.Integer(),
  functions_definitions: Type.Array(Type.Object({ type: Type.Literal('function'), function: AnyObject })),
  num_tokens_messages: Type.Integer(),
  messages: Type.Array(InternalMessageSchema),
})

export function retrieveAgentContextWindow(app: App, context: Context): void {
  app.get(
    '/v1/agents/:agent_id/context',
    {
      config: { permission: 'agents:read', alsoNeeds: 'messages:read' },
      schema: {
        operationId: 'retrieve_agent_context_window',
        tags: ['agents'],
        summary: 'What fills the context window of an agent, part by part, as its next turn would have it',
        params: AgentId,
        querystring: Type.Object({ conversation_id: Type.Optional(ConversationId) }),
        response: { 200: ContextWindow },
      },
    },
    async ({ actor, params, query }) => {
      const { agent_id } = params
      const thread = toThread(query.conversation_id ?? 'default', agent_id)
      const described = await describeContext(loopOptions(context), actor.organizationId, thread)
      if (described.agentId !== agent_id) throw agentNotFound(agent_id)
      return present(described)
    },
  )
}

function present(described: ContextDescription) {
  const { instructions, memory, toolRules, directories, metadata, summary, tools, messages } = described
  const rows = [described.systemMessage, ...messages]
  return {
    context_window_size_max: described.windowTokens,
    context_window_size_current: described.usedTokens,
    num_messages: rows.length,
    num_archival_memory: described.passageCount,
    num_recall_memory: described.messageCount,
    num_tokens_external_memory_summary: metadata.tokens,
    external_memory_summary: metadata.text ?? '',
    num_tokens_system: instructions.tokens,
    system_prompt: instructions.text ?? '',
    num_tokens_core_memory: memory.tokens,
    core_memory: memory.text ?? '',
    num_tokens_memory_filesystem: 0,
    memory_filesystem: null,
    num_tokens_tool_usage_rules: toolRules.tokens,
    tool_usage_rules: toolRules.text,
    num_tokens_directories: directories.tokens,
    directories: directories.text,
    num_tokens_summary_memory: summary.tokens,
    summary_memory: summary.text,
    num_tokens_functions_definitions: tools.tokens,
    functions_definitions: tools.definitions.map((definition) => ({
      type: 'function' as const,
      function: { ...definition },
    })),
    num_tokens_messages: described.messageTokens,
    messages: rows.map((row) => presentInternalMessage(row, described.conversationId)),
  }
}
