import { duplicateLabel } from '#agent/agent-blocks.ts'
import type { AgentAuthor } from '#agent/create-agent.ts'
import { resolveTools } from '#agent/resolve-tools.ts'
import { createBlock } from '#memory/create-block.ts'
import { modifyBlock } from '#memory/modify-block.ts'
import { notFound } from '#platform/errors.ts'
import { listBlocksOfAgents } from '#store/agents/agent-block-reader.ts'
import { setAgentTools } from '#store/agents/agent-tool-writer.ts'
import { lockAgent, updateAgent } from '#store/agents/agent-writer.ts'
import { deleteBlock } from '#store/blocks/block-writer.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db, Queryable } from '#store/db.ts'
import { attachBlocksToAgents, listCompanions } from '#store/groups/group-writer.ts'
import { listDeployedAgents, listDeployments } from '#store/templates/template-reader.ts'
import type { TemplateRow, TemplateSnapshot } from '#store/templates/template-row.ts'
import { setDeploymentVariables } from '#store/templates/template-writer.ts'
import { toNewBlock } from './create-agent-from-template.ts'
import { type FoundTemplate, getTemplateSnapshot } from './get-template.ts'

export interface MigrationOptions {
  /** The values that the blocks have now stay. */
  keepsMemory: boolean
  /** Blocks of the template's that the version does not have are deleted. */
  deletesBlocks: boolean
  variables: Readonly<Record<string, string>>
}

interface Migration extends MigrationOptions {
  author: AgentAuthor
  template: TemplateRow
  /** Of the version. */
  templateId: string
  snapshot: TemplateSnapshot
  toolIds: string[]
}

/**
 * Brings the agents of a deployment to a version of their template: settings, tools and blocks; tags, identities and what was said are
 * theirs. Throws not_found (version, deployment), invalid_argument (a tool is gone), conflict (an agent has another block of a label).
 */
export async function migrateDeployment(
  db: Db,
  author: AgentAuthor,
  found: FoundTemplate,
  deploymentId: string,
  options: MigrationOptions,
): Promise<number> {
  const migration = await prepare(db, author, found, options)
  return migrate(db, migration, deploymentId)
}

const PAGE = 100

/** The same for every deployment of the template, each on its own: what one cannot take does not hold up those before it. */
export async function migrateAllDeployments(
  db: Db,
  author: AgentAuthor,
  found: FoundTemplate,
  options: MigrationOptions,
): Promise<void> {
  const migration = await prepare(db, author, found, options)
  let after = ''
  for (;;) {
    const page = { after, limit: PAGE }
    const deployments = await listDeployments(db, author.organizationId, found.template.id, page)
    for (const id of deployments) await migrate(db, migration, id)
    after = deployments.at(-1) ?? ''
    if (deployments.length < PAGE) return
  }
}

async function prepare(
  db: Db,
  author: AgentAuthor,
  found: FoundTemplate,
  options: MigrationOptions,
): Promise<Migration> {
  const { snapshot, id } = await getTemplateSnapshot(db, author.organizationId, found)
  const tools = await resolveTools(db, author.organizationId, snapshot.agent.tools, [])
  const toolIds = tools.map((tool) => tool.id)
  return { ...options, author, template: found.template, templateId: id, snapshot, toolIds }
}

async function migrate(db: Db, migration: Migration, deploymentId: string): Promise<number> {
  const { author, template, snapshot } = migration
  const { organizationId } = author
  return db.transaction(async (tx) => {
    const given = migration.variables
    const variables = await setDeploymentVariables(tx, organizationId, template.id, deploymentId, given)
    if (variables === undefined) {
      throw notFound(`Deployment ${deploymentId} of the template '${template.name}' was not found.`)
    }
    const agentIds = await listDeployedAgents(tx, organizationId, deploymentId, snapshot.agent.entity_id)
    const here = { ...migration, deploymentId, variables }
    for (const agentId of agentIds) await migrateAgent(tx, here, agentId)
    return agentIds.length
  })
}

async function migrateAgent(
  tx: Queryable,
  migration: Migration & { deploymentId: string },
  agentId: string,
): Promise<void> {
  const { author, snapshot, templateId, toolIds } = migration
  const { organizationId, userId } = author
  if ((await lockAgent(tx, organizationId, agentId)) === undefined) return
  await updateAgent(tx, organizationId, agentId, { ...settingsOf(snapshot), template_id: templateId }, userId)
  await setAgentTools(tx, organizationId, agentId, toolIds)
  await migrateBlocks(tx, migration, agentId)
}

/** What a version says of its agents; the name, the tags and who works behind them are their own. */
function settingsOf({ agent }: TemplateSnapshot) {
  return {
    description: agent.description,
    system: agent.system,
    model: agent.model,
    embedding: agent.embedding,
    model_settings: agent.model_settings,
    context_window_limit: agent.context_window_limit,
    compaction_settings: agent.compaction_settings,
    response_format: agent.response_format,
    tool_rules: agent.tool_rules,
    metadata: agent.metadata,
    timezone: agent.timezone,
    message_buffer_autoclear: agent.message_buffer_autoclear,
    max_files_open: agent.max_files_open,
    per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
  }
}

async function migrateBlocks(
  tx: Queryable,
  migration: Migration & { deploymentId: string },
  agentId: string,
): Promise<void> {
  const { author, snapshot, template, templateId, deploymentId, variables } = migration
  const { organizationId, userId } = author
  const by = { type: 'user', userId } as const
  const present = (await listBlocksOfAgents(tx, organizationId, [agentId])).get(agentId) ?? []
  const wanted = new Map(snapshot.blocks.map((block) => [block.entity_id, block]))
  // blocks of another deployment that the agent was given since are not this one's to change
  const own = present.filter(
    (block) =>
      block.base_template_id === template.id && block.deployment_id === deploymentId && block.entity_id !== null,
  )
  for (const block of own) {
    const target = wanted.get(block.entity_id ?? '')
    if (target === undefined) {
      if (migration.deletesBlocks) await deleteBlock(tx, organizationId, block.id)
      continue
    }
    wanted.delete(target.entity_id)
    const { value, ...rest } = toNewBlock(target, variables)
    const keepsValue = migration.keepsMemory || target.preserve_on_migration === true
    const change = { ...rest, ...(keepsValue ? {} : { value }), template_id: templateId }
    await modifyBlock(tx, organizationId, block.id, change, by)
  }
  const origin = {
    project_id: template.project_id,
    template_id: templateId,
    base_template_id: template.id,
    deployment_id: deploymentId,
  }
  const added: string[] = []
  for (const block of wanted.values()) {
    const input = { ...toNewBlock(block, variables), ...origin }
    added.push((await createBlock(tx, organizationId, input, by)).id)
  }
  if (added.length === 0) return
  const agents = [agentId, ...(await listCompanions(tx, organizationId, agentId))]
  await attachBlocksToAgents(tx, organizationId, agents, added).catch((error: unknown) => {
    throw isUniqueViolation(error) ? duplicateLabel() : error
  })
}
