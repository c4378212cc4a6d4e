import { notFound } from '#platform/errors.ts'
import type { Api } from './api.ts'
import { chooseModel } from './choose-model.ts'
import type { Agent } from './wire.ts'

/** Agents that the chat made carry this tag, and are called like this. */
const CHAT_TAG = 'perdure-chat'
const CHAT_NAME = 'chat'
const PERSONA =
  'I am a friendly companion who listens well and answers briefly. I keep what people tell me about themselves in my memory.'
const AGENT_ID = /^agent-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i

export interface Chosen {
  agent: Agent
  isNew: boolean
}

/** The agent of the last chat, or a new one where there is none. */
export async function openAgent(api: Api, model: string | undefined, handles: readonly string[]): Promise<Chosen> {
  const agents = await api.get<Agent[]>(`/v1/agents/?tags=${CHAT_TAG}&limit=100`)
  const last = lastUsed(agents)
  if (last === undefined) return { agent: await createChatAgent(api, chooseModel(model, handles)), isNew: true }
  return { agent: last, isNew: false }
}

/** An agent by its id or its name; the one used last where several share a name. Throws not_found with the names there are. */
export async function findAgent(api: Api, idOrName: string): Promise<Agent> {
  if (AGENT_ID.test(idOrName)) return api.get<Agent>(`/v1/agents/${idOrName}`)
  const found = lastUsed(await api.get<Agent[]>(`/v1/agents/?name=${encodeURIComponent(idOrName)}&limit=100`))
  if (found !== undefined) return found
  const names = (await api.get<Agent[]>('/v1/agents/?limit=10')).map((agent) => agent.name)
  throw notFound(
    names.length === 0
      ? `There is no agent called "${idOrName}", and no other. \`perdure chat\` makes one.`
      : `There is no agent called "${idOrName}". There are: ${[...new Set(names)].join(', ')}.`,
  )
}

export function createChatAgent(api: Api, model: string): Promise<Agent> {
  return api.send<Agent>('POST', '/v1/agents/', {
    name: CHAT_NAME,
    model,
    tags: [CHAT_TAG],
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    memory_blocks: [
      { label: 'human', value: '', description: 'What I know about the person I talk to.' },
      { label: 'persona', value: PERSONA, description: 'Who I am and how I speak.' },
    ],
  })
}

export function changeModel(api: Api, agent: Agent, model: string): Promise<Agent> {
  return api.send<Agent>('PATCH', `/v1/agents/${agent.id}`, { model })
}

const lastUsed = (agents: readonly Agent[]): Agent | undefined => agents.toSorted((a, b) => usedAt(b) - usedAt(a)).at(0)

const usedAt = (agent: Agent): number => Date.parse(agent.last_run_completion ?? agent.created_at)
