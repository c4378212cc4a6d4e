import type { ModelInfo, ModelRegistry } from '#llm/model.ts'
import { type NewBlock, type NewBlockInput, normalizeNewBlock } from '#memory/block-rules.ts'
import { defaultFileLimits } from '#memory/files/file-limits.ts'
import { invalidArgument, unprocessable } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { isTimezone } from '#platform/time-format.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import type { Agent } from '#store/agents/agent-row.ts'
import type { AgentSecretRow } from '#store/agents/agent-secret-row.ts'
import { type AgentToInsert, insertAgent } from '#store/agents/agent-writer.ts'
import { insertBlocks } from '#store/blocks/block-writer.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db, Queryable } from '#store/db.ts'
import { listIdentitiesOfAgents, requireIdentities } from '#store/identities/identity-reader.ts'
import { setAgentIdentities } from '#store/identities/identity-writer.ts'
import type { NewMessage } from '#store/messages/message-row.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { checkLabels, duplicateLabel, resolveBlocks } from './agent-blocks.ts'
import { attachFolders, FILE_TOOLS, folderIdsOf, resolveFolders } from './agent-folders.ts'
import { checkAgentName, newAgentName } from './agent-name.ts'
import { addSecrets, checkSecrets, type SecretValues } from './agent-secrets.ts'
import { type AgentType, baseToolRulesOf, baseToolsOf, MULTI_AGENT_TOOLS } from './base-tools.ts'
import { bootMessages } from './boot-messages.ts'
import { engineOf } from './engines.ts'
import { firstPrompt, systemMessage } from './first-prompt.ts'
import { addCompanion, prepareCompanion } from './groups/add-companion.ts'
import { type InitialMessage, packageInitialMessages } from './initial-messages.ts'
import { fillVariables, type MemoryVariables } from './memory-variables.ts'
import { normalizeToolRules } from './normalize-tool-rules.ts'
import { defaultSystemPrompt } from './prompts/default-system.ts'
import { likesLineNumbers } from './prompts/likes-line-numbers.ts'
import { refreshAgentPrompt } from './refresh-agent-prompt.ts'
import { checkContextWindow, resolveModel } from './resolve-model.ts'
import { approvalRulesOf, resolveTools } from './resolve-tools.ts'

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
  /** Bounds the context of agents that name no limit of their own, in tokens. */
  maxContextWindow?: number
  /** Needed only for agents with secrets. */
  secrets?: SecretBox
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
  folder_ids?: Maybe<readonly string[]>
  /** The older name of `folder_ids`. */
  source_ids?: Maybe<readonly string[]>
  tool_rules?: Maybe<readonly Record<string, unknown>[]>
  include_base_tools?: Maybe<boolean>
  include_base_tool_rules?: Maybe<boolean>
  include_multi_agent_tools?: Maybe<boolean>
  tags?: Maybe<readonly string[]>
  initial_message_sequence?: Maybe<readonly InitialMessage[]>
  /** What goes into the values of `memory_blocks` for `{{name}}`. */
  memory_variables?: Maybe<MemoryVariables>
  secrets?: Maybe<SecretValues>
  metadata?: Maybe<Record<string, unknown>>
  timezone?: Maybe<string>
  message_buffer_autoclear?: Maybe<boolean>
  max_files_open?: Maybe<number>
  per_file_view_window_char_limit?: Maybe<number>
  hidden?: Maybe<boolean>
  project_id?: Maybe<string>
  template_id?: Maybe<string>
  base_template_id?: Maybe<string>
  deployment_id?: Maybe<string>
  entity_id?: Maybe<string>
  identity_ids?: Maybe<readonly string[]>
  /** Whether another agent keeps its memory in order. */
  enable_sleeptime?: Maybe<boolean>
}

/** Agents with this tag are helpers of others, and hidden from lists. */
export const SUBAGENT_TAG = 'role:subagent'

/**
 * Creates an agent with its blocks, tools, tags, its default conversation and the first system message: everything or
 * nothing. Throws invalid_argument (no model, malformed handle, unknown tool name, limits), not_found (model, blocks, tools by
 * id), unprocessable (name, time zone, blocks, rules), conflict (two blocks of one label).
 */
export async function createAgent(deps: CreateAgentDeps, author: AgentAuthor, input: NewAgentInput): Promise<Agent> {
  const made = await deps.db.transaction(await prepareAgent(deps, author, input))
  if (made.folders.length === 0) return made
  // what the folders changed: limits, tools, the prompt
  await refreshAgentPrompt(deps.db, deps.models, author.organizationId, made.id)
  return getAgent(deps.db, author.organizationId, made.id)
}

/** Checks and looks up everything; what it gives stores the agent, within a transaction of the caller. */
export async function prepareAgent(
  deps: CreateAgentDeps,
  author: AgentAuthor,
  input: NewAgentInput,
): Promise<(tx: Queryable) => Promise<Agent>> {
  const { db } = deps
  const { organizationId } = author
  const handle = input.model ?? deps.defaultModel
  if (handle === undefined) {
    throw invalidArgument('INVALID_ARGUMENT: Must specify either model or set PERDURE_DEFAULT_MODEL on the server.')
  }
  const model = await resolveModel(deps.models, handle, organizationId)
  const agentType = input.agent_type ?? 'letta_v1_agent'
  const newBlocks = blocksOf(input)
  const shared = await resolveBlocks(db, organizationId, input.block_ids ?? [])
  checkLabels([...newBlocks, ...shared].map((block) => block.label))
  const folders = await resolveFolders(db, organizationId, folderIdsOf(input) ?? [])
  const fileTools = folders.length === 0 ? [] : await resolveTools(db, organizationId, FILE_TOOLS, [])
  const tools = await resolveTools(db, organizationId, firstToolNames(input, agentType), input.tool_ids ?? [])
  const rules = firstToolRules(input, { agentType, model, tools })
  const agent = buildAgentRow(input, { ...deps, author, agentType, model, rules })
  const tags = [...new Set(input.tags ?? [])].sort()
  const secrets = input.secrets ?? {}
  checkSecrets(secrets)

  const limits = defaultFileLimits(
    Math.min(agent.context_window_limit ?? deps.maxContextWindow ?? model.contextWindow, model.contextWindow),
  )

  const identityIds = [...new Set(input.identity_ids ?? [])]
  await requireIdentities(db, organizationId, identityIds)
  const companion = input.enable_sleeptime
    ? await prepareCompanion(db, organizationId, agentType, likesLineNumbers(model))
    : undefined

  return async (tx) => {
    const created =
      newBlocks.length === 0
        ? []
        : await insertBlocks(tx, organizationId, newBlocks, { type: 'user', userId: author.userId })
    const blocks = [...created, ...shared]
    const { systemPrompt, promptMetadata } = firstPrompt(agent, likesLineNumbers(model), blocks)
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
    const stored = await storeSecrets(tx, deps, { organizationId, agentId: agent.id }, secrets, author.userId)
    if (folders.length > 0) {
      const ids = folders.map((folder) => folder.id)
      await attachFolders(tx, author, { agent: row, defaults: limits, tools: fileTools }, ids)
    }
    const messageIds = messages.map((message) => message.id)
    if (identityIds.length > 0) await setAgentIdentities(tx, organizationId, row.id, identityIds)
    const identities = identityIds.length > 0 ? await listIdentitiesOfAgents(tx, organizationId, [row.id]) : new Map()
    const group = companion === undefined ? null : await addCompanion(tx, author, { ...row, blocks }, companion)
    return {
      ...row,
      blocks,
      tools,
      folders,
      tags,
      secrets: stored,
      message_ids: messageIds,
      identities: identities.get(row.id) ?? [],
      managed_group: group,
    }
  }
}

function blocksOf(input: NewAgentInput): (NewBlock & { id: string })[] {
  const variables = input.memory_variables ?? {}
  return (input.memory_blocks ?? []).map((block) => ({
    id: newId('block'),
    ...normalizeNewBlock({ ...block, value: fillVariables(block.value, variables) }),
  }))
}

async function storeSecrets(
  tx: Queryable,
  { secrets: box }: CreateAgentDeps,
  owner: { organizationId: string; agentId: string },
  secrets: SecretValues,
  userId: string,
): Promise<AgentSecretRow[]> {
  if (Object.keys(secrets).length === 0) return []
  if (box === undefined) throw new Error('createAgent was given secrets and nothing to seal them with')
  return addSecrets(tx, box, owner, secrets, userId)
}

const multiAgentTools = (input: NewAgentInput): readonly string[] =>
  input.include_multi_agent_tools ? MULTI_AGENT_TOOLS : []
const hasBaseTools = (input: NewAgentInput): boolean => input.include_base_tools ?? true

/** Names of the tools that the input asks for by name, or by saying nothing. */
export const firstToolNames = (input: NewAgentInput, type: AgentType): string[] => [
  ...new Set([
    ...(hasBaseTools(input) ? baseToolsOf(type, input.enable_sleeptime ?? false) : []),
    ...multiAgentTools(input),
    ...(input.tools ?? []),
  ]),
]

/** The tool rules that the agent begins with. Throws unprocessable. */
export function firstToolRules(
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

export interface RowSource {
  author: AgentAuthor
  agentType: AgentType
  model: ModelInfo
  rules: Record<string, unknown>[]
  defaultEmbedding: string | undefined
}

/** The agent's row as the input says it, defaults filled in. Throws unprocessable, invalid_argument. */
export function buildAgentRow(
  input: NewAgentInput,
  { author, agentType, model, rules, defaultEmbedding }: RowSource,
): AgentToInsert {
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
    memory_variables: input.memory_variables ?? null,
    timezone,
    message_buffer_autoclear: input.message_buffer_autoclear ?? agentType === 'workflow_agent',
    enable_sleeptime: input.enable_sleeptime ?? null,
    max_files_open: input.max_files_open ?? null,
    per_file_view_window_char_limit: input.per_file_view_window_char_limit ?? null,
    hidden: input.tags?.includes(SUBAGENT_TAG) ? true : (input.hidden ?? null),
    template_id: input.template_id ?? null,
    base_template_id: input.base_template_id ?? null,
    deployment_id: input.deployment_id ?? null,
    entity_id: input.entity_id ?? null,
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
