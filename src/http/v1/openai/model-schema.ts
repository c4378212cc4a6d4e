import Type, { type Static } from 'typebox'
import type { AgentName } from '#store/agents/agent-name-reader.ts'

/** An agent as a model of OpenAI's API. */
export const OpenAiModelSchema = Type.Object({
  id: Type.String({ description: 'The id of the agent' }),
  object: Type.Literal('model'),
  created: Type.Integer(),
  owned_by: Type.String(),
  name: Type.String({ description: 'Of the agent; programs show it to people' }),
})

export const presentAgentModel = (agent: AgentName): Static<typeof OpenAiModelSchema> => ({
  id: agent.id,
  object: 'model',
  created: Math.floor(agent.created_at.getTime() / 1000),
  owned_by: 'perdure',
  name: agent.name,
})
