import type { ModelRegistry } from '#llm/model.ts'
import { conflict, invalidArgument } from '#platform/errors.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import { listBlocksById } from '#store/agents/agent-block-reader.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { insertBlocks } from '#store/blocks/block-writer.ts'
import { type ConversationFields, insertConversation } from '#store/conversations/conversation-writer.ts'
import type { ThreadBlock, ThreadRow } from '#store/conversations/load-thread.ts'
import type { Db } from '#store/db.ts'
import type { AgentAuthor } from './create-agent.ts'
import { getThread } from './get-thread.ts'
import { newThreadPrompt } from './prompts/new-thread-prompt.ts'
import { checkContextWindow, resolveModel } from './resolve-model.ts'

type Maybe<Value> = Value | null | undefined

/** A conversation as a client asks for it; null and undefined both mean "not said". */
export interface NewConversationInput {
  summary?: Maybe<string>
  description?: Maybe<string>
  model?: Maybe<string>
  model_settings?: Maybe<Record<string, unknown>>
  context_window_limit?: Maybe<number>
  hidden?: Maybe<boolean>
  /** Blocks of the agent that this conversation gets a copy of, to see and edit in their place. */
  isolated_block_labels?: Maybe<readonly string[]>
}

export interface ConversationDeps {
  db: Db
  models: ModelRegistry
}

/**
 * Begins a conversation with an agent, with its own system message and its own copies of the blocks that are named: everything or
 * nothing. Returns its id. Throws not_found (agent, model) and invalid_argument (a label that the agent has no block of, limits).
 */
export async function createConversation(
  deps: ConversationDeps,
  author: AgentAuthor,
  agentId: string,
  input: NewConversationInput,
): Promise<string> {
  const { db } = deps
  const { organizationId } = author
  const agent = await getThread(db, organizationId, { agentId })
  await checkModel(deps.models, author.organizationId, agent, input)
  const originals = originalsOf(agent.blocks, input.isolated_block_labels ?? [])
  const copies = await copiesOf(db, organizationId, originals)
  const id = newOrderedId('conv')
  const model = input.model ?? agent.model
  const blocks = agent.blocks.map((block) => copies.find((copy) => copy.replaces === block.id)?.block ?? block)
  const prompt = await newThreadPrompt(deps, {
    organizationId,
    agent: { ...agent, blocks },
    id,
    model,
    contextCount: 1,
  })
  await db.transaction(async (tx) => {
    const newBlocks = copies.map(({ block }) => block)
    if (newBlocks.length > 0) await insertBlocks(tx, organizationId, newBlocks, { type: 'user', userId: author.userId })
    const stored = await insertConversation(tx, {
      organizationId,
      id,
      agentId,
      fields: fieldsOf(input),
      ...prompt,
      blocks: copies.map(({ block, replaces }) => ({
        block_id: block.id,
        label: block.label,
        replaces_block_id: replaces,
      })),
      createdById: author.userId,
    })
    if (stored === undefined) throw agentNotFound(agentId)
    if (stored.block_count < copies.length) {
      throw conflict('CONFLICT: The blocks of the agent were changed meanwhile; try again.', { retryAfterSeconds: 1 })
    }
  })
  return id
}

async function checkModel(
  models: ModelRegistry,
  organizationId: string,
  agent: ThreadRow,
  input: NewConversationInput,
): Promise<void> {
  const model = input.model == null ? undefined : await resolveModel(models, input.model, organizationId)
  if (input.context_window_limit == null) return
  checkContextWindow(input.context_window_limit, model ?? (await resolveModel(models, agent.model, organizationId)))
}

function originalsOf(blocks: readonly ThreadBlock[], labels: readonly string[]): ThreadBlock[] {
  return [...new Set(labels)].map((label) => {
    const block = blocks.find((candidate) => candidate.label === label)
    if (block !== undefined) return block
    const known = blocks.map((candidate) => candidate.label).join(', ')
    throw invalidArgument(
      `INVALID_ARGUMENT: isolated_block_labels: the agent has no memory block '${label}'. It has: ${known || 'none'}.`,
    )
  })
}

async function copiesOf(db: Db, organizationId: string, originals: readonly ThreadBlock[]) {
  if (originals.length === 0) return []
  const ids = originals.map((block) => block.id)
  const rows = await listBlocksById(db, organizationId, ids)
  return rows.map((row) => ({
    replaces: row.id,
    block: { ...row, id: newId('block'), is_template: false, template_name: null, template_id: null },
  }))
}

function fieldsOf(input: NewConversationInput): Omit<ConversationFields, 'archived_at' | 'last_message_at'> {
  return {
    summary: input.summary ?? null,
    description: input.description ?? null,
    model: input.model ?? null,
    model_settings: input.model_settings ?? null,
    context_window_limit: input.context_window_limit ?? null,
    hidden: input.hidden ?? false,
  }
}
