import { createAgent, type NewAgentInput } from '#agent/create-agent.ts'
import { plainRequest } from '#agent/plain-request.ts'
import { createRunLoop } from '#agent/run-loop.ts'
import type { ModelRegistry } from '#llm/model.ts'
import { DEFAULT_ORGANIZATION_ID, DEFAULT_USER_ID, newOrderedId } from '#platform/ids.ts'
import { createLogger } from '#platform/logger.ts'
import { RunEngine } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import { findThreadId } from '#store/conversations/conversation-reader.ts'
import { type Db, statement } from '#store/db.ts'
import type { MessageRow, NewMessage } from '#store/messages/message-row.ts'
import { listThreadMessages } from '#store/messages/thread-message-reader.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import { ensureBuiltinTools } from '#tools/ensure-builtin-tools.ts'
import { type Script, scriptedModel } from './scripted-model.ts'

export const TEST_ACTOR = { organizationId: DEFAULT_ORGANIZATION_ID, userId: DEFAULT_USER_ID, projectId: null }

/** An engine with a real loop; `owner` stands for a process. Not opened: no timers run, unless the test calls `open()`. */
export function createTestEngine(
  db: Db,
  models: ModelRegistry,
  owner = 'process-1',
  leaseMs = 4000,
  summaryTimeoutMs = 5000,
): RunEngine {
  const logger = createLogger({ level: 'silent', format: 'json' })
  return new RunEngine({
    db,
    logger,
    owner,
    leaseMs,
    execute: createRunLoop({ db, models, logger, maxContextWindow: 128_000, summaryTimeoutMs }),
  })
}

export async function createTestAgent(
  db: Db,
  models: ModelRegistry,
  input: Partial<NewAgentInput> = {},
): Promise<string> {
  await ensureBuiltinTools(db, DEFAULT_ORGANIZATION_ID)
  const agent = await createAgent({ db, models, defaultModel: undefined, defaultEmbedding: undefined }, TEST_ACTOR, {
    model: 'openai/gpt-4o-mini',
    memory_blocks: [
      { label: 'human', value: '' },
      { label: 'persona', value: 'I am Ada.' },
    ],
    ...input,
  })
  return agent.id
}

/** An agent with a scripted model, and an engine that runs it. */
export async function createScriptedAgent(db: Db, script: Script, input: Partial<NewAgentInput> = {}) {
  const { registry, requests } = scriptedModel(script)
  const agentId = await createTestAgent(db, registry, input)
  return { agentId, registry, requests, engine: createTestEngine(db, registry) }
}

export function userMessage(text: string): NewMessage {
  return { id: newOrderedId('message'), role: 'user', content: [{ type: 'text', text }], search_text: text }
}

export function newRun(agentId: string, text: string, over: Partial<NewRun['request']> = {}): NewRun {
  return {
    organizationId: DEFAULT_ORGANIZATION_ID,
    thread: { agentId },
    runId: newOrderedId('run'),
    request: {
      ...plainRequest(50),
      ...over,
    },
    input: [userMessage(text)],
    background: false,
    userId: DEFAULT_USER_ID,
    metadata: {},
    callbackUrl: null,
  }
}

type RunEnd = Extract<RunEvent, { type: 'run-end' }>

export interface Said {
  runId: string
  events: RunEvent[]
  end: RunEnd
  messages: MessageRow[]
}

/** Sends one message and waits for the run's end. */
export async function say(
  engine: RunEngine,
  agentId: string,
  text: string,
  over?: Partial<NewRun['request']>,
): Promise<Said> {
  const run = newRun(agentId, text, over)
  const events: RunEvent[] = []
  const ended = Promise.withResolvers<RunEnd>()
  const started = await engine.start(run, (event) => {
    events.push(event)
    if (event.type === 'run-end') ended.resolve(event)
  })
  if (started === undefined) throw new Error('no such agent')
  const end = await ended.promise
  const messages = events.flatMap((event) => (event.type === 'message' ? [event.message] : []))
  return { runId: run.runId, events, end, messages }
}

/** Of the default conversation, oldest first. */
export async function storedMessages(db: Db, agentId: string): Promise<MessageRow[]> {
  const thread = await findThreadId(db, DEFAULT_ORGANIZATION_ID, { agentId })
  if (thread === undefined) return []
  return listThreadMessages(db, DEFAULT_ORGANIZATION_ID, thread, { limit: 10_000, order: 'asc' })
}

const blockValue = statement(
  'test-block-value',
  `select b.value, b.version from agent_blocks as ab join blocks as b on b.organization_id = ab.organization_id and b.id = ab.block_id
   where ab.agent_id = $1 and ab.label = $2`,
)

export async function readBlock(
  db: Db,
  agentId: string,
  label: string,
): Promise<{ value: string; version: number } | undefined> {
  const [row] = await db.query<{ value: string; version: number }>(blockValue, [agentId, label])
  return row
}
