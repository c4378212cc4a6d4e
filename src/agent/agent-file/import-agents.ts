import { checkLabels } from '#agent/agent-blocks.ts'
import { attachFolders, FILE_TOOLS } from '#agent/agent-folders.ts'
import { checkSecrets, SECRET_MASK, type SecretValues, sealSecrets } from '#agent/agent-secrets.ts'
import type { AgentType } from '#agent/base-tools.ts'
import {
  type AgentAuthor,
  buildAgentRow,
  type CreateAgentDeps,
  firstToolNames,
  firstToolRules,
  type NewAgentInput,
} from '#agent/create-agent.ts'
import { firstPrompt, systemMessage } from '#agent/first-prompt.ts'
import { packageInitialMessages } from '#agent/initial-messages.ts'
import { likesLineNumbers } from '#agent/prompts/likes-line-numbers.ts'
import { refreshAgentPrompt } from '#agent/refresh-agent-prompt.ts'
import { resolveTools } from '#agent/resolve-tools.ts'
import type { ModelInfo } from '#llm/model.ts'
import { attachArchive } from '#memory/attach-archive.ts'
import { normalizeNewBlock } from '#memory/block-rules.ts'
import { defaultFileLimits, fileLimitsOf } from '#memory/files/file-limits.ts'
import { showFiles } from '#memory/files/open-files.ts'
import { newId, newOrderedId } from '#platform/ids.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import { findFileLimits } from '#store/agents/agent-file-reader.ts'
import type { AgentRow } from '#store/agents/agent-row.ts'
import { storeAgentSecrets } from '#store/agents/agent-secret-writer.ts'
import { type AgentToInsert, insertAgent } from '#store/agents/agent-writer.ts'
import type { BlockRow } from '#store/blocks/block-row.ts'
import { insertBlocks } from '#store/blocks/block-writer.ts'
import { insertHistory } from '#store/conversations/insert-history.ts'
import type { Queryable } from '#store/db.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'
import { upsertImportedTools } from '#store/tools/upsert-imported-tools.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import { atPlace } from './at-place.ts'
import type { AgentBundle, BundledAgent } from './bundle.ts'
import { chooseModel } from './choose-model.ts'
import { importArchives } from './import-archives.ts'
import { type ImportedFolders, importFolders } from './import-folders.ts'
import { type ImportedMessage, repairHistory } from './repair-history.ts'

export interface ImportOptions {
  /** Name of the first agent, instead of the one in the file. */
  name: string | undefined
  /** Put behind the names that the file gives. */
  nameSuffix: string
  /** Handles for every agent, instead of those in the file. */
  model: string | undefined
  embedding: string | undefined
  /** Values of secrets, for every agent; the file has only their keys. */
  secrets: SecretValues
  /** Tools that people have made here give way to those of the same name in the file. */
  overridesTools: boolean
  withoutMessages: boolean
  withoutArchives: boolean
}

export type ImportDeps = CreateAgentDeps & { secrets: SecretBox }

/** An agent of the bundle with what is known of it before anything is stored. */
interface PreparedAgent {
  bundled: BundledAgent
  input: NewAgentInput
  agentType: AgentType
  model: ModelInfo
}

type ById<Row> = ReadonlyMap<string, Row>

/** What the bundle's agents refer to, stored. */
interface Made {
  tools: ById<ToolRow>
  blocks: ById<BlockRow>
  folders: ImportedFolders
  archives: ReadonlyMap<string, string>
}

/**
 * Makes the agents of a bundle, with new blocks, its tools by their names, and its history: everything or nothing, in one
 * transaction of few statements. The system messages are compiled anew.
 * Throws invalid_argument that says what is wrong with which part of the file.
 * @returns ids of the agents, in the order of the file
 */
export async function importAgents(
  deps: ImportDeps,
  author: AgentAuthor,
  bundle: AgentBundle,
  options: ImportOptions,
): Promise<string[]> {
  const prepared: PreparedAgent[] = []
  for (const [index, agent] of bundle.agents.entries()) {
    prepared.push(await atPlace(agent.place, () => prepare(deps, author.organizationId, agent, options, index === 0)))
  }
  const agentIds = await deps.db.transaction(async (tx) => {
    const tools = await importTools(tx, author, bundle, options.overridesTools)
    const blocks = await importBlocks(tx, author, bundle)
    const embedding = { override: options.embedding, fallback: deps.defaultEmbedding }
    const folders = await importFolders(tx, author, bundle, embedding)
    const archives = options.withoutArchives ? new Map() : await importArchives(tx, author, bundle, embedding)
    const made = { tools, blocks, folders, archives }
    const ids: string[] = []
    for (const agent of prepared) {
      ids.push(await atPlace(agent.bundled.place, () => importAgent(tx, deps, author, agent, made)))
    }
    return ids
  })
  for (const [index, { bundled }] of prepared.entries()) {
    // what the folders changed, as for every new agent
    if (bundled.folderIds.length > 0) {
      await refreshAgentPrompt(deps.db, deps.models, author.organizationId, agentIds[index] ?? '')
    }
  }
  return agentIds
}

async function prepare(
  deps: ImportDeps,
  organizationId: string,
  bundled: BundledAgent,
  options: ImportOptions,
  isFirst: boolean,
): Promise<PreparedAgent> {
  const { input } = bundled
  const { model, settings } = await chooseModel(deps, organizationId, input, options.model)
  const secrets = { ...blankMasks(input.secrets ?? {}), ...options.secrets }
  checkSecrets(secrets)
  const ownName = input.name == null ? undefined : `${input.name}${options.nameSuffix}`
  const limit = input.context_window_limit
  return {
    bundled: options.withoutMessages ? { ...bundled, recall: [], context: [] } : bundled,
    input: {
      ...input,
      name: (isFirst ? options.name : undefined) ?? ownName,
      embedding: options.embedding ?? input.embedding,
      model_settings: settings,
      // a window of a larger model means nothing to this one
      context_window_limit: limit != null && limit > model.contextWindow ? null : limit,
      secrets,
      initial_message_sequence: options.withoutMessages ? [] : input.initial_message_sequence,
    },
    agentType: input.agent_type ?? 'letta_v1_agent',
    model,
  }
}

/** A mask in a file is no secret, but says that there is one. */
const blankMasks = (secrets: SecretValues): SecretValues =>
  Object.fromEntries(Object.entries(secrets).map(([key, value]) => [key, value === SECRET_MASK ? '' : value]))

/** The tools by their ids in the bundle. */
async function importTools(
  tx: Queryable,
  { organizationId, userId }: AgentAuthor,
  { tools }: AgentBundle,
  overrides: boolean,
): Promise<ById<ToolRow>> {
  if (tools.length === 0) return new Map()
  const toStore = tools.filter(({ tool }) => findBuiltinTool(tool.name) === undefined)
  await upsertImportedTools(
    tx,
    organizationId,
    toStore.map(({ tool }) => ({ id: newId('tool'), ...tool })),
    { userId, overrides },
  )
  const names = tools.map(({ tool }) => tool.name)
  const byName = new Map((await resolveTools(tx, organizationId, names, [])).map((row) => [row.name, row]))
  return new Map(tools.flatMap(({ id, tool }) => [[id, byName.get(tool.name)] as const].filter(isFound)))
}

const isFound = <Row>(entry: readonly [string, Row | undefined]): entry is readonly [string, Row] =>
  entry[1] !== undefined

async function importBlocks(
  tx: Queryable,
  { organizationId, userId }: AgentAuthor,
  { blocks }: AgentBundle,
): Promise<ById<BlockRow>> {
  if (blocks.length === 0) return new Map()
  const toStore = []
  for (const { place, input } of blocks) {
    toStore.push(await atPlace(place, async () => ({ id: newId('block'), ...normalizeNewBlock(input) })))
  }
  const rows = await insertBlocks(tx, organizationId, toStore, { type: 'user', userId })
  return new Map(rows.flatMap((row, index) => [[blocks[index]?.id ?? row.id, row] as const]))
}

/** Stores one agent with its thread, its history and its secrets; gives its id. */
async function importAgent(
  tx: Queryable,
  deps: ImportDeps,
  author: AgentAuthor,
  { bundled, input, agentType, model }: PreparedAgent,
  made: Made,
): Promise<string> {
  const { organizationId, userId } = author
  const named = await resolveTools(tx, organizationId, firstToolNames(input, agentType), [])
  const tools = [...new Set([...named, ...bundled.toolIds.flatMap((id) => made.tools.get(id) ?? [])])]
  const blocks = bundled.blockIds.flatMap((id) => made.blocks.get(id) ?? [])
  checkLabels(blocks.map((block) => block.label))
  const rules = firstToolRules(input, { agentType, model, tools })
  const agent = buildAgentRow(input, { ...deps, author, agentType, model, rules })
  const conversationId = newOrderedId('conv')
  const row = await insertAgent(tx, {
    ...threadOf(agent, model, blocks, bundled, input),
    organizationId,
    agent,
    tags: [...new Set(input.tags ?? [])],
    blockIds: blocks.map((block) => block.id),
    toolIds: [...new Set(tools.map((tool) => tool.id))],
    conversationId,
    createdById: userId,
  })
  const archiveId = made.archives.get(bundled.archiveId ?? '')
  if (archiveId !== undefined) await attachArchive(tx, organizationId, agent.id, archiveId)
  if (bundled.folderIds.length > 0) await giveFolders(tx, deps, author, { row, model, bundled }, made.folders)
  const now = new Date()
  const recall = repairHistory(bundled.recall, now)
  const history = [...recall, ...inOrderOfTime(repairHistory(bundled.context, now))]
  await insertHistory(tx, { organizationId, agentId: agent.id, conversationId }, history, recall.length)
  const owner = { organizationId, agentId: agent.id }
  await storeAgentSecrets(tx, organizationId, sealSecrets(deps.secrets, owner, input.secrets ?? {}), userId)
  return agent.id
}

/** Attaches the agent's folders, and opens what it had open where it comes from. */
async function giveFolders(
  tx: Queryable,
  { maxContextWindow }: ImportDeps,
  author: AgentAuthor,
  { row, model, bundled }: { row: AgentRow; model: ModelInfo; bundled: BundledAgent },
  { folderIds, fileIds }: ImportedFolders,
): Promise<void> {
  const { organizationId } = author
  const window = Math.min(row.context_window_limit ?? maxContextWindow ?? model.contextWindow, model.contextWindow)
  const tools = await resolveTools(tx, organizationId, FILE_TOOLS, [])
  const given = { agent: row, defaults: defaultFileLimits(window), tools }
  await attachFolders(
    tx,
    author,
    given,
    bundled.folderIds.flatMap((id) => folderIds.get(id) ?? []),
  )
  if (bundled.openFiles === undefined) return
  const limits = await findFileLimits(tx, organizationId, row.id)
  if (limits === undefined) throw new Error(`agent ${row.id} is not there although it was just made`)
  const open = bundled.openFiles.flatMap(({ fileId, lines }) => {
    const id = fileIds.get(fileId)
    return id === undefined ? [] : [{ file_id: id, start_line: lines?.start ?? null, end_line: lines?.end ?? null }]
  })
  await showFiles(tx, organizationId, { id: row.id, limits: fileLimitsOf(limits) }, open)
}

/** The same with no message older than the one before it: where a context begins, its time must bound those after it. */
function inOrderOfTime(messages: readonly ImportedMessage[]): ImportedMessage[] {
  let latest = ''
  return messages.map((message) => {
    if (message.created_at > latest) latest = message.created_at
    return { ...message, created_at: latest }
  })
}

/** The prompt, and the messages that stand in the thread without being history. */
function threadOf(
  agent: AgentToInsert,
  model: ModelInfo,
  blocks: readonly BlockRow[],
  bundled: BundledAgent,
  input: NewAgentInput,
) {
  const { systemPrompt, promptMetadata } = firstPrompt(agent, likesLineNumbers(model), blocks)
  const hasHistory = bundled.recall.length + bundled.context.length > 0
  const initial = hasHistory ? [] : (input.initial_message_sequence ?? [])
  const packaged = packageInitialMessages(initial, agent.timezone, new Date())
  const messages: Parameters<typeof insertAgent>[1]['messages'] = [systemMessage(systemPrompt), ...packaged]
  return { messages, systemPrompt, promptMetadata }
}
