import {
  type AgentMessenger,
  type BuiltinTool,
  failure,
  success,
  type ToolContext,
  type ToolOutcome,
} from '#tools/tool.ts'

/** Agents that one call may speak to at once. */
const MAX_AGENTS = 20
const NOBODY: ToolOutcome = failure('This server has no way to reach other agents.')

const MESSAGE = { type: 'string', description: 'What to say. Say what you want to know or have done, and why.' }
const AGENT_ID = {
  type: 'string',
  description: "Id of the other agent, such as 'agent-123e4567-e89b-42d3-a456-426614174000'.",
}

const incoming = (context: ToolContext, note: string, message: unknown): string =>
  `[Incoming message from agent with ID '${context.agentId}' - ${note}] ${String(message)}`
const ANSWERED = 'your response will be delivered to the sender'

interface Heard {
  agent_id: string
  response?: string[]
  error?: string
}

async function askAgent(
  messenger: AgentMessenger,
  context: ToolContext,
  agentId: string,
  message: unknown,
): Promise<Heard> {
  const sent = await messenger.send(agentId, incoming(context, ANSWERED, message), context)
  if ('problem' in sent) return { agent_id: agentId, error: sent.problem }
  const heard = await messenger.waitFor(sent.runId, context.signal)
  return 'problem' in heard ? { agent_id: agentId, error: heard.problem } : { agent_id: agentId, response: heard.texts }
}

export const sendMessageToAgentAndWaitForReply: BuiltinTool = {
  name: 'send_message_to_agent_and_wait_for_reply',
  description: 'Send a message to another agent and wait for what it answers.',
  toolType: 'letta_multi_agent_core',
  durability: 'idempotent',
  parameters: {
    type: 'object',
    properties: { message: MESSAGE, other_agent_id: AGENT_ID },
    required: ['message', 'other_agent_id'],
  },
  async execute(args, context) {
    if (context.messenger === undefined) return NOBODY
    const heard = await askAgent(context.messenger, context, String(args.other_agent_id), args.message)
    return heard.error === undefined ? success(JSON.stringify(heard)) : failure(heard.error)
  },
}

export const sendMessageToAgentAsync: BuiltinTool = {
  name: 'send_message_to_agent_async',
  description: 'Send a message to another agent without waiting for an answer.',
  toolType: 'letta_multi_agent_core',
  durability: 'idempotent',
  parameters: sendMessageToAgentAndWaitForReply.parameters,
  async execute(args, context) {
    if (context.messenger === undefined) return NOBODY
    const text = incoming(context, 'it does not wait for your response', args.message)
    const sent = await context.messenger.send(String(args.other_agent_id), text, context)
    return 'problem' in sent ? failure(sent.problem) : success('The message was sent.')
  },
}

const TAGS = { type: 'array', items: { type: 'string' } }

export const sendMessageToAgentsMatchingTags: BuiltinTool = {
  name: 'send_message_to_agents_matching_tags',
  description: 'Send a message to all agents with certain tags, yourself left out, and wait for what they answer.',
  toolType: 'letta_multi_agent_core',
  durability: 'idempotent',
  parameters: {
    type: 'object',
    properties: {
      message: MESSAGE,
      match_all: { ...TAGS, description: 'Tags of which an agent must have every one.' },
      match_some: { ...TAGS, description: 'Tags of which an agent must have at least one.' },
    },
    required: ['message', 'match_all', 'match_some'],
  },
  async execute(args, context) {
    const { messenger } = context
    if (messenger === undefined) return NOBODY
    const [all, some] = [args.match_all, args.match_some].map((tags) => tags as string[])
    if (all === undefined || some === undefined || all.length + some.length === 0) {
      return failure('Name at least one tag in match_all or match_some.')
    }
    const found = (await messenger.findByTags(all, some, MAX_AGENTS + 2)).filter((id) => id !== context.agentId)
    if (found.length > MAX_AGENTS) {
      return failure(`More than ${MAX_AGENTS} agents have these tags. Name more of them in match_all.`)
    }
    const heard = await Promise.all(found.map((agentId) => askAgent(messenger, context, agentId, args.message)))
    return success(JSON.stringify(heard))
  },
}
