import Type from 'typebox'
import { collectResponse, type ResponseWire } from '#http/v1/agents/messages/collect-response.ts'
import { toRun } from '#http/v1/agents/messages/to-run.ts'
import { AgentIdField, mcpTool } from './mcp-tool.ts'

export const sendMessage = mcpTool({
  name: 'send_message',
  title: 'Send a message',
  description:
    'Say something to an agent and wait for its answer. The agent remembers the conversation and may use its tools before it answers.',
  permissions: ['messages:write'],
  isReadOnly: false,
  input: Type.Object({
    agent_id: AgentIdField,
    text: Type.String({ minLength: 1, description: 'What to say to the agent' }),
    message_id: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 255,
        description:
          'An id of your choice. Sent again with the same one, the message is not said twice: the answer is that of the first time.',
      }),
    ),
  }),
  async call({ context, actor, args, request, reply }) {
    const message = { role: 'user' as const, content: args.text, ...(args.message_id ? { otid: args.message_id } : {}) }
    const run = await toRun(
      context.models,
      actor,
      { agentId: args.agent_id },
      { messages: [message] },
      {
        requestId: request.id,
        runType: 'send_message',
        background: false,
      },
    )
    return toText(await collectResponse(context, reply, run))
  },
})

/** What the agent said. What it did besides is of its own concern. */
function toText({ messages, stop_reason: { stop_reason: reason } }: ResponseWire): string {
  const said = messages.flatMap(({ message_type: type, content }) =>
    type === 'assistant_message' ? [textOf(content)] : [],
  )
  const notes: Partial<Record<typeof reason, string>> = {
    requires_approval: 'The agent waits for a person to approve a call of one of its tools.',
    max_steps: 'The agent was stopped after the largest number of steps.',
    cancelled: 'The run was cancelled.',
  }
  const note = notes[reason] ?? (reason === 'end_turn' || said.length > 0 ? undefined : `The run ended with ${reason}.`)
  const text = [...said, ...(note === undefined ? [] : [`[${note}]`])].join('\n\n')
  return text === '' ? '[The agent said nothing.]' : text
}

function textOf(content: unknown): string {
  if (typeof content === 'string') return content
  if (!Array.isArray(content)) return ''
  return content.map((part: { text?: unknown }) => (typeof part.text === 'string' ? part.text : '')).join('')
}
