import type { ModelInfo, ModelRegistry } from '#llm/model.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { setAgentBlocks } from '#store/agents/agent-block-writer.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import type { AgentRow } from '#store/agents/agent-row.ts'
import { setAgentTools } from '#store/agents/agent-tool-writer.ts'
import { lockAgent, setAgentTags, updateAgent } from '#store/agents/agent-writer.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import { requireIdentities } from '#store/identities/identity-reader.ts'
import { setAgentIdentities } from '#store/identities/identity-writer.ts'
import { checkLabels, duplicateLabel, resolveBlocks } from './agent-blocks.ts'
import { applyFolderChange, resolveFolderChange } from './agent-folders.ts'
import { checkAgentName } from './agent-name.ts'
import { checkSecrets, replaceSecrets } from './agent-secrets.ts'
import { chooseContext } from './choose-context.ts'
import { type AgentAuthor, checkTimezone, type NewAgentInput, SUBAGENT_TAG } from './create-agent.ts'
import { addCompanion, type CompanionParts, prepareCompanion } from './groups/add-companion.ts'
import { normalizeToolRules } from './normalize-tool-rules.ts'
import { handleLikesLineNumbers } from './prompts/likes-line-numbers.ts'
import { checkContextWindow, resolveModel } from './resolve-model.ts'
import { resolveTools } from './resolve-tools.ts'

/** What to change: undefined leaves as it is; null clears what can be empty, and leaves what cannot (name, model, lists). */
export type AgentChange = Omit<
  NewAgentInput,
  | 'agent_type'
  | 'memory_blocks'
  | 'tools'
  | 'include_base_tools'
  | 'include_base_tool_rules'
  | 'include_multi_agent_tools'
  | 'initial_message_sequence'
  | 'memory_variables'
  | 'deployment_id'
  | 'entity_id'
> & {
  /** Ids of the messages in context of the default thread: `chooseContext`. */
  message_ids?: readonly string[] | null | undefined
}

/**
 * Changes an agent; lists replace what there was. The system prompt follows at the agent's next turn.
 * Throws not_found, and what `createAgent` throws for the same fields.
 */
export async function modifyAgent(
  deps: { db: Db; models: ModelRegistry; secrets: SecretBox; maxContextWindow?: number },
  author: AgentAuthor,
  agentId: string,
  change: AgentChange,
): Promise<void> {
  const { db, models } = deps
  const { organizationId } = author
  if (change.name != null) checkAgentName(change.name)
  if (change.timezone != null) checkTimezone(change.timezone)
  const newModel = change.model == null ? undefined : await resolveModel(models, change.model, organizationId)
  const limitedModel = newModel ?? (await modelToLimit(deps, organizationId, agentId, change))
  const blocks = change.block_ids == null ? undefined : await resolveBlocks(db, organizationId, change.block_ids)
  if (blocks !== undefined) checkLabels(blocks.map((block) => block.label))
  if (change.secrets != null) checkSecrets(change.secrets)
  const tools = change.tool_ids == null ? undefined : await resolveTools(db, organizationId, [], change.tool_ids)
  const identityIds = change.identity_ids === undefined ? undefined : [...new Set(change.identity_ids ?? [])]
  await requireIdentities(db, organizationId, identityIds ?? [])
  const companion = change.enable_sleeptime ? await companionOf(deps, organizationId, agentId, newModel) : undefined

  const maxContextWindow = deps.maxContextWindow ?? Number.POSITIVE_INFINITY
  const folders = await resolveFolderChange({ db, models, maxContextWindow }, organizationId, agentId, change)

  await db.transaction(async (tx) => {
    // the thread before the agent, as the loop locks them
    if (change.message_ids != null) await chooseContext(tx, organizationId, agentId, change.message_ids)
    const agent = await lockAgent(tx, organizationId, agentId)
    if (agent === undefined) throw agentNotFound(agentId)
    const columns = { ...plainColumns(change), ...modelColumns(agent, change, newModel, limitedModel) }
    await updateAgent(tx, organizationId, agentId, columns, author.userId)
    if (change.tags != null) await setAgentTags(tx, organizationId, agentId, change.tags)
    if (change.secrets !== undefined) {
      await replaceSecrets(tx, deps.secrets, { organizationId, agentId }, change.secrets ?? {}, author.userId)
    }
    if (tools !== undefined) {
      await setAgentTools(
        tx,
        organizationId,
        agentId,
        tools.map((tool) => tool.id),
      )
    }
    if (folders !== undefined) await applyFolderChange(tx, author, agentId, folders)
    if (blocks !== undefined) {
      const ids = blocks.map((block) => block.id)
      await setAgentBlocks(tx, organizationId, agentId, ids).catch((error: unknown) => {
        throw isUniqueViolation(error) ? duplicateLabel() : error
      })
    }
    if (identityIds !== undefined) await setAgentIdentities(tx, organizationId, agentId, identityIds)
    if (companion !== undefined) await addCompanion(tx, author, await getAgent(tx, organizationId, agentId), companion)
  })
}

/** Throws not_found, invalid_argument. */
async function companionOf(
  { db, models }: { db: Db; models: ModelRegistry },
  organizationId: string,
  agentId: string,
  newModel: ModelInfo | undefined,
): Promise<CompanionParts> {
  const agent = await getAgent(db, organizationId, agentId, {})
  const hasLineNumbers = await handleLikesLineNumbers(models, newModel?.handle ?? agent.model, organizationId)
  return prepareCompanion(db, organizationId, agent.agent_type, hasLineNumbers)
}

type Columns = { [Column in keyof AgentRow]?: AgentRow[Column] | undefined }

function plainColumns(change: AgentChange): Columns {
  const { tool_rules: rules } = change
  return {
    name: change.name ?? undefined,
    system: change.system ?? undefined,
    timezone: change.timezone ?? undefined,
    message_buffer_autoclear: change.message_buffer_autoclear ?? undefined,
    tool_rules: rules === undefined ? undefined : normalizeToolRules(rules ?? []),
    description: change.description,
    embedding: change.embedding,
    compaction_settings: change.compaction_settings,
    response_format: change.response_format,
    metadata: change.metadata,
    max_files_open: change.max_files_open,
    per_file_view_window_char_limit: change.per_file_view_window_char_limit,
    hidden: change.tags?.includes(SUBAGENT_TAG) ? true : change.hidden,
    enable_sleeptime: change.enable_sleeptime,
    project_id: change.project_id,
    template_id: change.template_id,
    base_template_id: change.base_template_id,
  }
}

/** Settings that mean the same with every provider, and so outlive a change of it. */
export const COMMON_SETTINGS = new Set(['temperature', 'max_output_tokens', 'parallel_tool_calls', 'response_format'])

function modelColumns(
  agent: AgentRow,
  change: AgentChange,
  newModel: ModelInfo | undefined,
  limitedModel: ModelInfo | undefined,
): Columns {
  const { model_settings: sent, context_window_limit: limit } = change
  if (limit != null && limitedModel !== undefined) checkContextWindow(limit, limitedModel)
  // a window that was cut for a larger model means nothing to a smaller one
  const isLimitVoid = newModel !== undefined && (agent.context_window_limit ?? 0) > newModel.contextWindow
  return {
    model: newModel?.handle,
    context_window_limit: limit === undefined && isLimitVoid ? null : limit,
    model_settings: mergedSettings(agent, sent, newModel),
  }
}

/** The agent's present model, where a limit must fit it. Asked before the transaction: it may need the network, or the database. */
async function modelToLimit(
  { db, models }: { db: Db; models: ModelRegistry },
  organizationId: string,
  agentId: string,
  { context_window_limit: limit }: AgentChange,
): Promise<ModelInfo | undefined> {
  if (limit == null) return undefined
  const { model } = await getAgent(db, organizationId, agentId, {})
  return resolveModel(models, model, organizationId)
}

/** Settings that are sent win over those there are; null forgets all. */
function mergedSettings(
  agent: AgentRow,
  sent: Record<string, unknown> | null | undefined,
  newModel: ModelInfo | undefined,
): Record<string, unknown> | undefined {
  if (sent === null) return {}
  const stored = agent.model_settings
  const type = sent?.provider_type ?? newModel?.providerType
  const isForeign = type !== undefined && stored.provider_type !== undefined && stored.provider_type !== type
  if (sent === undefined && !isForeign) return undefined
  const kept = isForeign
    ? Object.fromEntries(Object.entries(stored).filter(([key]) => COMMON_SETTINGS.has(key)))
    : stored
  return { ...kept, ...sent }
}
