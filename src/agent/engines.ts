import type { AgentType } from './base-tools.ts'

/** How agents of a type work; there is one loop, and these are its options. */
export interface Engine {
  /** The user reads what is sent with `send_message`, and text is thinking; else the user reads the text. */
  speaksByTool: boolean
  /** A call must come with every answer of the model, as long as there is a tool. */
  mustCall: boolean
  /** The loop goes on after a call only where the model asks for it, by `request_heartbeat`, or a rule does. */
  hasHeartbeats: boolean
  /** Models that cannot reason by themselves write their thoughts into a parameter `thinking` of each call. */
  hasInnerThoughts: boolean
  /** Several calls in one answer are executed. */
  isParallel: boolean
  /** A thread begins with the agent trying its voice, and the user's arrival. */
  hasBootMessages: boolean
}

const PRESENT: Engine = {
  speaksByTool: false,
  mustCall: false,
  hasHeartbeats: false,
  hasInnerThoughts: false,
  isParallel: true,
  hasBootMessages: false,
}
const LEGACY: Engine = {
  speaksByTool: true,
  mustCall: true,
  hasHeartbeats: true,
  hasInnerThoughts: true,
  isParallel: false,
  hasBootMessages: true,
}

const ENGINES: Record<AgentType, Engine> = {
  letta_v1_agent: PRESENT,
  sleeptime_agent: PRESENT,
  voice_convo_agent: PRESENT,
  voice_sleeptime_agent: PRESENT,
  memgpt_agent: LEGACY,
  memgpt_v2_agent: LEGACY,
  split_thread_agent: LEGACY,
  react_agent: { ...LEGACY, hasBootMessages: false },
  workflow_agent: { ...LEGACY, hasBootMessages: false },
}

/** The engine of a stored agent; of a type that nobody knows (an import), the present one. */
export const engineOf = (agentType: string): Engine => ENGINES[agentType as AgentType] ?? PRESENT
