import { baseToolRulesOf, baseToolsOf } from '#agent/base-tools.ts'
import { firstPrompt, systemMessage } from '#agent/first-prompt.ts'
import { defaultSystemPrompt } from '#agent/prompts/default-system.ts'
import { resolveTools } from '#agent/resolve-tools.ts'
import { normalizeNewBlock } from '#memory/block-rules.ts'
import { invalidArgument } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import type { AgentRow } from '#store/agents/agent-row.ts'
import { type AgentToInsert, insertAgent } from '#store/agents/agent-writer.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import { insertBlocks } from '#store/blocks/block-writer.ts'
import type { Db, Queryable } from '#store/db.ts'
import { getGroup, listGroupsOfManagers } from '#store/groups/group-reader.ts'
import type { GroupRow } from '#store/groups/group-row.ts'
import { insertGroup, setGroupAgents } from '#store/groups/group-writer.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'

/** Turns of the main agent after which its companion works; V1's figure. */
const DEFAULT_FREQUENCY = 5

const PERSONA = {
  label: 'memory_persona',
  description: 'Who you are and how you keep the memory that you share with another agent.',
  value: `I keep the memory of another agent in order while nobody waits. I read what was said, and write into the shared blocks what will matter later: facts, preferences, plans, open questions. I correct what has become wrong, merge what is said twice, and drop what no longer matters. I write plainly, and with dates.`,
}

/** Types of agents that work behind others, or cannot have one behind them. */
const HELPER_TYPES = new Set(['sleeptime_agent', 'voice_sleeptime_agent', 'voice_convo_agent'])

/** What is looked up before the transaction. */
export interface CompanionParts {
  tools: ToolRow[]
  /** Whether the main agent's model reads memory better with numbered lines. */
  hasLineNumbers: boolean
}

/** Throws invalid_argument where an agent of this type can have no companion. */
export async function prepareCompanion(
  db: Db,
  organizationId: string,
  agentType: string,
  hasLineNumbers: boolean,
): Promise<CompanionParts> {
  if (HELPER_TYPES.has(agentType)) {
    throw invalidArgument(`INVALID_ARGUMENT: enable_sleeptime: a ${agentType} has no sleeptime agent behind it.`)
  }
  return { tools: await resolveTools(db, organizationId, baseToolsOf('sleeptime_agent'), []), hasLineNumbers }
}

/**
 * Makes the agent that works behind `main` and shares its blocks, and the group of the two; gives the group that there is where it
 * has somebody. To be called where the main agent's row is new or locked, so that two cannot make one at once.
 */
export async function addCompanion(
  tx: Queryable,
  author: { organizationId: string; userId: string },
  main: AgentRow & { blocks: readonly BlockRow[] },
  parts: CompanionParts,
): Promise<GroupRow> {
  const { organizationId, userId } = author
  const known = (await listGroupsOfManagers(tx, organizationId, [main.id])).get(main.id)
  const present = known?.manager_type === 'sleeptime' || known?.manager_type === 'voice_sleeptime' ? known : undefined
  if (present !== undefined && present.agent_ids.length > 0) return present
  const companionId = await insertCompanion(tx, author, main, parts)
  const groupId = present?.id ?? newId('group')
  if (present === undefined) {
    const group = {
      id: groupId,
      project_id: main.project_id,
      description: `Keeps the memory of ${main.name} in order.`,
      hidden: null,
      manager_type: 'sleeptime' as const,
      manager_agent_id: main.id,
      termination_token: null,
      max_turns: null,
      sleeptime_agent_frequency: DEFAULT_FREQUENCY,
      max_message_buffer_length: null,
      min_message_buffer_length: null,
      template_id: main.template_id,
      base_template_id: main.base_template_id,
      deployment_id: main.deployment_id,
    }
    await insertGroup(tx, organizationId, group, userId)
  }
  await setGroupAgents(tx, organizationId, groupId, [companionId])
  return getGroup(tx, organizationId, groupId)
}

async function insertCompanion(
  tx: Queryable,
  { organizationId, userId }: { organizationId: string; userId: string },
  main: AgentRow & { blocks: readonly BlockRow[] },
  { tools, hasLineNumbers }: CompanionParts,
): Promise<string> {
  const hasPersona = main.blocks.some((block) => block.label === PERSONA.label)
  const own = hasPersona
    ? []
    : await insertBlocks(
        tx,
        organizationId,
        [{ id: newId('block'), ...normalizeNewBlock({ ...PERSONA, project_id: main.project_id }) }],
        { type: 'user', userId },
      )
  const blocks = [...own, ...main.blocks]
  const agent = toRow(main)
  const { systemPrompt, promptMetadata } = firstPrompt(agent, hasLineNumbers, blocks)
  await insertAgent(tx, {
    organizationId,
    agent,
    tags: [],
    blockIds: blocks.map((block) => block.id),
    toolIds: tools.map((tool) => tool.id),
    conversationId: newOrderedId('conv'),
    messages: [systemMessage(systemPrompt)],
    systemPrompt,
    promptMetadata,
    createdById: userId,
  })
  return agent.id
}

const MAX_NAME_LENGTH = 500
const SUFFIX = '-sleeptime'

/** Everything that says how the main agent thinks is the companion's too. */
function toRow(main: AgentRow): AgentToInsert {
  return {
    id: newId('agent'),
    project_id: main.project_id,
    name: `${main.name.slice(0, MAX_NAME_LENGTH - SUFFIX.length)}${SUFFIX}`,
    agent_type: 'sleeptime_agent',
    description: null,
    system: defaultSystemPrompt('sleeptime_agent'),
    model: main.model,
    embedding: main.embedding,
    model_settings: main.model_settings,
    context_window_limit: main.context_window_limit,
    compaction_settings: null,
    response_format: null,
    tool_rules: baseToolRulesOf('sleeptime_agent', main.model),
    metadata: null,
    memory_variables: null,
    timezone: main.timezone,
    message_buffer_autoclear: false,
    enable_sleeptime: null,
    max_files_open: null,
    per_file_view_window_char_limit: null,
    hidden: main.hidden,
    template_id: main.template_id,
    base_template_id: main.base_template_id,
    deployment_id: main.deployment_id,
    entity_id: null,
  }
}
