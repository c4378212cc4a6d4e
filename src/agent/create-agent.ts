import type { ModelInfo, ModelRegistry } from '#llm/model.ts'
import { type NewBlockInput, normalizeNewBlock } from '#memory/block-rules.ts'
import { invalidArgument, unprocessable } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import { isTimezone } from '#platform/time-format.ts'
import type { Agent } from '#store/agents/agent-row.ts'
import { type AgentToInsert, insertAgent } from '#store/agents/agent-writer.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import { insertBlocks } from '#store/blocks/block-writer.ts'
import type { PromptMetadata } from '#store/conversations/prompt-metadata.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { checkBlockCount, checkLabels, duplicateLabel, resolveBlocks } from './agent-blocks.ts'
import { checkAgentName, newAgentName } from './agent-name.ts'
import { type AgentType, baseToolRulesOf, baseToolsOf, MULTI_AGENT_TOOLS } from './base-tools.ts'
import { bootMessages } from './boot-messages.ts'
import { engineOf } from './engines.ts'
import { type InitialMessage, packageInitialMessages } from './initial-messages.ts'
import { normalizeToolRules } from './normalize-tool-rules.ts'
import { compileSystemPrompt } from './prompts/compile-system-prompt.ts'
import { defaultSystemPrompt } from './prompts/default-system.ts'
import { likesLineNumbers } from './prompts/likes-line-numbers.ts'
import { checkContextWindow, resolveModel } from './resolve-model.ts'
import { approvalRulesOf, resolveTools } from './resolve-tools.ts'
import type { ToolRule } from './tool-rules/tool-rule.ts'

/** Who creates or changes something: the author of versions, the owner of rows. */
export interface AgentAuthor {
  organizationId: string
  userId: string
  projectId: string | null
}

/** What creating an agent needs of the server. */
export interface CreateAgentDeps {
  db: Db
  models: ModelRegistry
  /** Handle that is taken where the client names none. */
  defaultModel: string | undefined
  defaultEmbedding: string | undefined
}

type Maybe<Value> = Value | null | undefined

/** An agent as a client asks for it; null and undefined both mean "not said". */
export interface NewAgentInput {
  name?: Maybe<string>
  agent_type?: Maybe<AgentType>
  description?: Maybe<string>
  system?: Maybe<string>
  model?: Maybe<string>
  embedding?: Maybe<string>
  model_settings?: Maybe<Record<string, unknown>>
  context_window_limit?: Maybe<number>
  compaction_settings?: Maybe<Record<string, unknown>>
  response_format?: Maybe<Record<string, unknown>>
  memory_blocks?: Maybe<readonly NewBlockInput[]>
  block_ids?: Maybe<readonly string[]>
  /** Names. */
  tools?: Maybe<readonly string[]>
  tool_ids?: Maybe<readonly string[]>
  tool_rules?: Maybe<readonly Record<string, unknown>[]>
  include_base_tools?: Maybe<boolean>
  include_base_tool_rules?: Maybe<boolean>
  include_multi_agent_tools?: Maybe<boolean>
  tags?: Maybe<readonly string[]>
  initial_message_sequence?: Maybe<readonly InitialMessage[]>
  metadata?: Maybe<Record<string, unknown>>
  timezone?: Maybe<string>
  message_buffer_autoclear?: Maybe<boolean>
  max_files_open?: Maybe<number>
  per_file_view_window_char_limit?: Maybe<number>
  hidden?: Maybe<boolean>
  project_id?: Maybe<string>
  template_id?: Maybe<string>
  base_template_id?: Maybe<string>
}

/** Agents with this tag are helpers of others, and hidden from lists. */
const SUBAGENT_TAG = 'role:subagent'

/**
 * Creates an agent with its blocks, tools, tags, its default conversation and the first system message: everything or
 * nothing. Throws invalid_argument (no model, malformed handle, unknown tool name, limits), not_found (model, blocks, tools by
 * id), unprocessable (name, time zone, blocks, rules), conflict (two blocks of one label).
 */
export async function createAgent(deps: CreateAgentDeps, author: AgentAuthor, input: NewAgentInput): Promise<Agent> {
  const { db } = deps
  const { organizationId } = author
  const handle = input.model ?? deps.defaultModel
  if (handle === undefined) {
    throw invalidArgument('INVALID_ARGUMENT: Must specify either model or set PERDURE_DEFAULT_MODEL on the server.')
  }
  const model = await resolveModel(deps.models, handle)
  const agentType = input.agent_type ?? 'letta_v1_agent'
  const newBlocks = (input.memory_blocks ?? []).map((block) => ({ id: newId('block'), ...normalizeNewBlock(block) }))
  const shared = await resolveBlocks(db, organizationId, input.block_ids ?? [])
  checkLabels([...newBlocks, ...shared].map((block) => block.label))
  checkBlockCount(newBlocks.length + shared.length)
  const tools = await toolsOf(db, organizationId, input, agentType)
  const rules = rulesOf(input, { agentType, model, tools })
  const agent = toRow(input, { ...deps, author, agentType, model, rules })
  const tags = [...new Set(input.tags ?? [])].sort()

  return db.transaction(async (tx) => {
    const created =
      newBlocks.length === 0
        ? []
        : await insertBlocks(tx, organizationId, newBlocks, { type: 'user', userId: author.userId })
    const blocks = [...created, ...shared]
    const { systemPrompt, promptMetadata } = firstPrompt(agent, model, blocks)
    const messages: [NewMessage, ...NewMessage[]] = [systemMessage(systemPrompt), ...firstMessages(input, agent)]
    const row = await insertAgent(tx, {
      organizationId,
      agent,
      tags,
      blockIds: blocks.map((block) => block.id),
      toolIds: tools.map((tool) => tool.id),
      conversationId: newOrderedId('conv'),
      messages,
      systemPrompt,
      promptMetadata,
      createdById: author.userId,
    }).catch((error: unknown) => {
      throw isUniqueViolation(error) ? duplicateLabel() : error
    })
    return { ...row, blocks, tools, tags, message_ids: messages.map((message) => message.id) }
  })
}

const multiAgentTools = (input: NewAgentInput): readonly string[] =>
  input.include_multi_agent_tools ? MULTI_AGENT_TOOLS : []
const hasBaseTools = (input: NewAgentInput): boolean => input.include_base_tools ?? true

function toolsOf(db: Db, organizationId: string, input: NewAgentInput, type: AgentType): Promise<ToolRow[]> {
  const names = new Set([
    ...(hasBaseTools(input) ? baseToolsOf(type) : []),
    ...multiAgentTools(input),
    ...(input.tools ?? []),
  ])
  return resolveTools(db, organizationId, [...names], input.tool_ids ?? [])
}

function rulesOf(
  input: NewAgentInput,
  { agentType, model, tools }: { agentType: AgentType; model: ModelInfo; tools: readonly ToolRow[] },
) {
  const hasBaseRules = input.include_base_tool_rules ?? hasBaseTools(input)
  return normalizeToolRules([
    ...(input.tool_rules ?? []),
    ...(hasBaseRules ? baseToolRulesOf(agentType, model.handle, multiAgentTools(input)) : []),
    ...approvalRulesOf(tools),
  ])
}

interface RowSource {
  author: AgentAuthor
  agentType: AgentType
  model: ModelInfo
  rules: Record<string, unknown>[]
  defaultEmbedding: string | undefined
}

function toRow(input: NewAgentInput, { author, agentType, model, rules, defaultEmbedding }: RowSource): AgentToInsert {
  const name = input.name ?? newAgentName()
  checkAgentName(name)
  const timezone = checkTimezone(input.timezone ?? 'UTC')
  checkContextWindow(input.context_window_limit, model)
  return {
    id: newId('agent'),
    project_id: input.project_id ?? author.projectId,
    name,
    agent_type: agentType,
    description: input.description ?? null,
    system: input.system ?? defaultSystemPrompt(agentType),
    model: model.handle,
    embedding: input.embedding ?? defaultEmbedding ?? null,
    model_settings: input.model_settings ?? {},
    context_window_limit: input.context_window_limit ?? null,
    compaction_settings: input.compaction_settings ?? null,
    response_format: input.response_format ?? null,
    tool_rules: rules,
    metadata: input.metadata ?? null,
    timezone,
    message_buffer_autoclear: input.message_buffer_autoclear ?? agentType === 'workflow_agent',
    enable_sleeptime: null,
    max_files_open: input.max_files_open ?? null,
    per_file_view_window_char_limit: input.per_file_view_window_char_limit ?? null,
    hidden: input.tags?.includes(SUBAGENT_TAG) ? true : (input.hidden ?? null),
    template_id: input.template_id ?? null,
    base_template_id: input.base_template_id ?? null,
    deployment_id: null,
    entity_id: null,
  }
}

/** Throws unprocessable for a name that the IANA database does not have. */
export function checkTimezone(timezone: string): string {
  if (!isTimezone(timezone)) {
    throw unprocessable(`Unknown time zone '${timezone}': use a name of the IANA database such as Europe/Berlin.`)
  }
  return timezone
}

/** What the client wants to stand in the thread, else what belongs there. */
function firstMessages({ initial_message_sequence: wanted }: NewAgentInput, agent: AgentToInsert): NewMessage[] {
  const now = new Date()
  if (wanted != null) return packageInitialMessages(wanted, agent.timezone, now)
  return engineOf(agent.agent_type).hasBootMessages ? bootMessages(agent.timezone, now) : []
}

function firstPrompt(agent: AgentToInsert, model: ModelInfo, blocks: readonly BlockRow[]) {
  const promptMetadata: PromptMetadata = {
    compiled_at: new Date().toISOString(),
    recall_count: 0,
    archival_count: 0,
    archival_tags: [],
  }
  const systemPrompt = compileSystemPrompt({
    system: agent.system,
    agentType: agent.agent_type,
    agentId: agent.id,
    conversationId: null,
    timezone: agent.timezone,
    hasLineNumbers: likesLineNumbers(model),
    blocks,
    toolRules: agent.tool_rules as ToolRule[],
    metadata: promptMetadata,
  })
  return { systemPrompt, promptMetadata }
}

const systemMessage = (text: string): NewMessage => ({
  id: newOrderedId('message'),
  role: 'system',
  content: [{ type: 'text', text }],
  search_text: null,
})
