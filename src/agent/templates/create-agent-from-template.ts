import type { AgentType } from '#agent/base-tools.ts'
import { type AgentAuthor, type CreateAgentDeps, type NewAgentInput, prepareAgent } from '#agent/create-agent.ts'
import type { NewBlockInput } from '#memory/block-rules.ts'
import { invalidArgument } from '#platform/errors.ts'
import { newId } from '#platform/ids.ts'
import type { Agent } from '#store/agents/agent-row.ts'
import { isForeignKeyViolation } from '#store/database-error.ts'
import type { TemplateBlock } from '#store/templates/template-row.ts'
import { insertDeployment } from '#store/templates/template-writer.ts'
import { type FoundTemplate, getTemplateSnapshot } from './get-template.ts'
import { templateNotFound } from './template-name.ts'
import { fillVariables } from './template-snapshot.ts'

export interface TemplateAgentInput {
  agent_name?: string | null | undefined
  tags?: readonly string[] | undefined
  identity_ids?: readonly string[] | undefined
  initial_message_sequence?: NewAgentInput['initial_message_sequence']
  memory_variables?: Readonly<Record<string, string>> | undefined
  tool_variables?: Readonly<Record<string, string>> | undefined
}

/**
 * Makes an agent of a version of a template, with blocks of its own: all or nothing. Throws not_found (version, identities), and what
 * `createAgent` throws for what the template has: tools or a model that are gone, values that are too long with the variables in.
 */
export async function createAgentFromTemplate(
  deps: CreateAgentDeps,
  author: AgentAuthor,
  found: FoundTemplate,
  input: TemplateAgentInput,
): Promise<{ agent: Agent; deploymentId: string }> {
  if (Object.keys(input.tool_variables ?? {}).length > 0) {
    throw invalidArgument(
      'INVALID_ARGUMENT: tool_variables: secrets are not set by templates. Make the agent without them, and set `secrets` with PATCH /v1/agents/{agent_id}.',
    )
  }
  const { organizationId } = author
  const { template } = found
  const { snapshot, id } = await getTemplateSnapshot(deps.db, organizationId, found)
  const { entity_id, tags, name: _, agent_type, ...settings } = snapshot.agent
  const deploymentId = newId('deployment')
  const origin = {
    project_id: template.project_id,
    template_id: id,
    base_template_id: template.id,
    deployment_id: deploymentId,
  }
  const variables = input.memory_variables ?? {}
  const store = await prepareAgent(deps, author, {
    ...settings,
    ...origin,
    entity_id,
    agent_type: agent_type as AgentType,
    name: input.agent_name || undefined,
    tags: [...tags, ...(input.tags ?? [])],
    identity_ids: input.identity_ids,
    initial_message_sequence: input.initial_message_sequence,
    memory_blocks: snapshot.blocks.map((block) => ({ ...toNewBlock(block, variables), ...origin })),
    // what the template has is all there is
    include_base_tools: false,
    include_base_tool_rules: false,
  })
  const agent = await deps.db.transaction(async (tx) => {
    await insertDeployment(tx, organizationId, { id: deploymentId, templateId: template.id, variables }).catch(
      (error: unknown) => {
        throw isForeignKeyViolation(error) ? templateNotFound(template.name) : error
      },
    )
    return store(tx)
  })
  return { agent, deploymentId }
}

/** A block of the template as one that is to be made, its variables filled in. */
export function toNewBlock(block: TemplateBlock, variables: Readonly<Record<string, string>>): NewBlockInput {
  return {
    label: block.label,
    value: fillVariables(block.value, variables),
    limit: block.char_limit,
    description: block.description,
    read_only: block.read_only,
    metadata: block.metadata,
    tags: block.tags,
    entity_id: block.entity_id,
    preserve_on_migration: block.preserve_on_migration,
  }
}
