import { newId, newOrderedId } from '#platform/ids.ts'
import { type Queryable, statement } from '#store/db.ts'

/** An agent with its default thread, one run of it, one step of that, and what was said in it. */
export interface SeededTurn {
  organizationId: string
  agentId: string
  conversationId: string
  runId: string
  stepId: string
  messageIds: string[]
}

const insertOrganization = statement(
  'test-insert-organization',
  'insert into organizations (id, name) values ($1, $1) on conflict do nothing',
)
const insertAgent = statement(
  'test-insert-agent',
  `insert into agents (organization_id, id, name, agent_type, system, model)
   values ($1, $2, $3, 'letta_v1_agent', 'You are helpful.', 'openai/gpt-4o-mini')`,
)
const insertConversation = statement(
  'test-insert-conversation',
  `insert into conversations (organization_id, id, agent_id, is_default, system_message_id, system_message_created_at,
     system_prompt, prompt_metadata)
   values ($1, $2, $3, $4, $5, now(), 'You are helpful.', '{}')`,
)
const insertRun = statement(
  'test-insert-run',
  `insert into runs (organization_id, id, agent_id, conversation_id, status, background, request, stop_reason, usage, metadata,
     created_at, completed_at)
   select $1, n.id, n.agent_id, n.conversation_id, n.status, n.background, n.request, n.stop_reason, n.usage, n.metadata,
     coalesce(n.created_at, clock_timestamp()), case when n.status in ('created', 'running') then null else now() end
   from jsonb_to_record($2::jsonb) as n (id text, agent_id text, conversation_id text, status text, background boolean,
     request jsonb, stop_reason text, usage jsonb, metadata jsonb, created_at timestamptz)`,
)
const insertStep = statement(
  'test-insert-step',
  `insert into steps (organization_id, id, run_id, agent_id, conversation_id, step_index, status, stop_reason, model,
     model_handle, prompt_tokens, completion_tokens, total_tokens, cached_input_tokens, tags, trace_id, step_ns, created_at)
   select $1, n.id, n.run_id, n.agent_id, n.conversation_id, 1, 'success', 'end_turn', n.model, 'openai/' || n.model, 10, 5, 15, 4,
     '{}', n.trace_id, 12345, coalesce(n.created_at, clock_timestamp())
   from jsonb_to_record($2::jsonb) as n (id text, run_id text, agent_id text, conversation_id text, model text, trace_id text,
     created_at timestamptz)`,
)
const insertMessage = statement(
  'test-insert-message-row',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, step_id, run_id, search)
   values ($1, $2, $3, $4, $5, jsonb_build_array(jsonb_build_object('type', 'text', 'text', $6::text)), $7, $8,
     perdure_words($6))`,
)

/** A run with defaults for what the test does not care about; gives its id. */
export async function seedRun(
  db: Queryable,
  turn: Pick<SeededTurn, 'organizationId' | 'agentId' | 'conversationId'>,
  over: Record<string, unknown> = {},
): Promise<string> {
  const run = {
    id: newOrderedId('run'),
    agent_id: turn.agentId,
    conversation_id: turn.conversationId,
    status: 'completed',
    background: false,
    stop_reason: 'end_turn',
    request: {
      view: {
        use_assistant_message: true,
        assistant_message_tool_name: 'send_message',
        assistant_message_tool_kwarg: 'message',
        include_return_message_types: null,
      },
    },
    usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15, cached_input_tokens: 4 },
    metadata: { run_type: 'send_message' },
    ...over,
  }
  await db.query(insertRun, [turn.organizationId, JSON.stringify(run)])
  return run.id
}

export async function seedStep(
  db: Queryable,
  turn: Pick<SeededTurn, 'organizationId' | 'agentId' | 'conversationId' | 'runId'>,
  over: Record<string, unknown> = {},
): Promise<string> {
  const step = {
    id: newOrderedId('step'),
    run_id: turn.runId,
    agent_id: turn.agentId,
    conversation_id: turn.conversationId,
    model: 'gpt-4o-mini',
    ...over,
  }
  await db.query(insertStep, [turn.organizationId, JSON.stringify(step)])
  return step.id
}

/** Everything that a finished turn leaves, straight in the tables: of any organisation, which the API cannot do. */
export async function seedTurn(db: Queryable, organizationId: string, agentName = 'Ada'): Promise<SeededTurn> {
  const agentId = newId('agent')
  const conversationId = newOrderedId('conv')
  await db.query(insertOrganization, [organizationId])
  await db.query(insertAgent, [organizationId, agentId, agentName])
  await db.query(insertConversation, [organizationId, conversationId, agentId, true, newOrderedId('message')])
  const base = { organizationId, agentId, conversationId }
  const runId = await seedRun(db, base)
  const stepId = await seedStep(db, { ...base, runId })
  const messageIds: string[] = []
  for (const [role, text, ofStep] of [
    ['user', 'My name is Nils.', null],
    ['assistant', 'Hello Nils.', stepId],
  ]) {
    const id = newOrderedId('message')
    await db.query(insertMessage, [organizationId, id, agentId, conversationId, role, text, ofStep, runId])
    messageIds.push(id)
  }
  return { ...base, runId, stepId, messageIds }
}

/** A second thread of the agent; gives its id. */
export async function seedConversation(db: Queryable, organizationId: string, agentId: string): Promise<string> {
  const id = newOrderedId('conv')
  await db.query(insertConversation, [organizationId, id, agentId, false, newOrderedId('message')])
  return id
}
