import type { AgentBundle, BundledAgent, BundledBlock } from '#agent/agent-file/bundle.ts'
import { fillVariables } from '#agent/memory-variables.ts'
import { corrupted } from './corrupted.ts'
import type { CurrentAgent, CurrentFile } from './file-schema.ts'
import { readArchives } from './read-archives.ts'
import { readFolders, readOpenFiles } from './read-folders.ts'
import { readMessage } from './read-messages.ts'
import { readBlock, readModel, readTool } from './read-parts.ts'

/** Messages of one agent that are taken in: more are no conversation. */
export const MAX_MESSAGES = 50_000

/** Lists of entities, and what their ids look like: `agent-0`, `mcp_server-2`. */
const ENTITIES = {
  agents: 'agent',
  blocks: 'block',
  tools: 'tool',
  groups: 'group',
  sources: 'source',
  files: 'file',
  archives: 'archive',
  mcp_servers: 'mcp_server',
} as const

/** A file of today's format, whose ids are right and lead somewhere. Throws invalid_argument with what is wrong, and where. */
export function readCurrentFile(file: CurrentFile): AgentBundle {
  const ids = Object.fromEntries(
    Object.entries(ENTITIES).map(([list, prefix]) => [
      list,
      uniqueIds(
        (file[list as keyof typeof ENTITIES] ?? []).map(({ id }) => id),
        prefix,
        list,
      ),
    ]),
  ) as Record<keyof typeof ENTITIES, Set<string>>
  const blocks: BundledBlock[] = (file.blocks ?? []).map((block, index) => ({
    id: block.id,
    place: `blocks[${index}]`,
    input: readBlock(block),
  }))
  const tools = (file.tools ?? []).map((tool, index) => {
    const place = `tools[${index}]`
    return { id: tool.id, place, tool: readTool(tool, place) }
  })
  checkNames(tools.map(({ tool }) => tool.name))
  const agents = file.agents.map((agent, index) => {
    const place = `agents[${index}]`
    checkReferences(agent, place, ids)
    return readAgent(agent, place, blocks)
  })
  return {
    agents,
    blocks,
    tools,
    folders: readFolders(file, ids.sources),
    archives: readArchives(file.archives ?? []),
    leftOut: leftOutOf(file),
  }
}

/** Throws for an id that is none of this kind, or that is there twice. */
function uniqueIds(ids: readonly string[], prefix: string, list: string): Set<string> {
  const seen = new Set<string>()
  ids.forEach((id, index) => {
    if (!id.startsWith(`${prefix}-`) || !/^[\w-]{1,100}$/.test(id)) {
      throw corrupted(`${list}[${index}].id must look like '${prefix}-0', not ${JSON.stringify(id.slice(0, 100))}.`)
    }
    if (seen.has(id)) throw corrupted(`${list}[${index}].id: '${id}' is there twice.`)
    seen.add(id)
  })
  return seen
}

function checkNames(names: readonly string[]): void {
  const seen = new Set<string>()
  names.forEach((name, index) => {
    if (seen.has(name)) throw corrupted(`tools[${index}].name: there are two tools of the name '${name}'.`)
    seen.add(name)
  })
}

function checkReferences(agent: CurrentAgent, place: string, ids: Record<keyof typeof ENTITIES, Set<string>>): void {
  const references: [keyof CurrentAgent, keyof typeof ENTITIES][] = [
    ['block_ids', 'blocks'],
    ['tool_ids', 'tools'],
    ['source_ids', 'sources'],
    ['folder_ids', 'sources'],
    ['archive_ids', 'archives'],
    ['group_ids', 'groups'],
  ]
  for (const [field, list] of references) {
    const given = (agent[field] ?? []) as string[]
    given.forEach((id, index) => {
      if (ids[list].has(id)) return
      throw corrupted(`${place}.${field}[${index}]: '${id.slice(0, 100)}' is not among the ${list} of the file.`)
    })
  }
  ;(agent.files_agents ?? []).forEach(({ file_id: fileId }, index) => {
    if (ids.files.has(fileId)) return
    throw corrupted(`${place}.files_agents[${index}].file_id is not among the files of the file.`)
  })
}

/** @param blocks the bundle's, to which those that stand within the agent are added */
function readAgent(agent: CurrentAgent, place: string, blocks: BundledBlock[]): BundledAgent {
  const own = (agent.memory_blocks ?? []).map((block, index) => ({
    id: `${place}.memory_blocks[${index}]`,
    place: `${place}.memory_blocks[${index}]`,
    input: readBlock({ ...block, value: fillVariables(block.value, agent.memory_variables ?? {}) }),
  }))
  blocks.push(...own)
  return {
    place,
    input: {
      ...readModel(agent),
      name: agent.name,
      agent_type: agent.agent_type,
      description: agent.description,
      system: agent.system,
      compaction_settings: agent.compaction_settings,
      response_format: agent.response_format,
      tools: agent.tools,
      tool_rules: agent.tool_rules,
      include_base_tools: agent.include_base_tools,
      include_base_tool_rules: agent.include_base_tool_rules,
      tags: agent.tags,
      initial_message_sequence: agent.initial_message_sequence,
      memory_variables: agent.memory_variables,
      secrets: agent.secrets ?? agent.tool_exec_environment_variables,
      metadata: agent.metadata,
      timezone: agent.timezone,
      message_buffer_autoclear: agent.message_buffer_autoclear,
      max_files_open: agent.max_files_open,
      per_file_view_window_char_limit: agent.per_file_view_window_char_limit,
      hidden: agent.hidden,
    },
    blockIds: [...own.map((block) => block.id), ...unique(agent.block_ids)],
    toolIds: unique(agent.tool_ids),
    folderIds: unique([...(agent.folder_ids ?? []), ...(agent.source_ids ?? [])]),
    archiveId: agent.archive_ids?.[0],
    openFiles: readOpenFiles(agent.files_agents),
    ...readThread(agent, place),
  }
}

const unique = (ids: readonly string[] | null | undefined): string[] => [...new Set(ids ?? [])]

/** The messages in the order of the context; what is not in it comes before, as the past. */
function readThread(agent: CurrentAgent, place: string): Pick<BundledAgent, 'recall' | 'context'> {
  const messages = agent.messages ?? []
  if (messages.length > MAX_MESSAGES) throw corrupted(`${place}.messages: there are more than ${MAX_MESSAGES}.`)
  const ids = messages.map((message) => message.id)
  const known = uniqueIds(ids, 'message', `${place}.messages`)
  const inContext = agent.in_context_message_ids ?? ids
  inContext.forEach((id, index) => {
    if (known.has(id)) return
    throw corrupted(
      `${place}.in_context_message_ids[${index}]: '${id.slice(0, 100)}' is not among the messages of the agent.`,
    )
  })
  const contextIds = uniqueIds(inContext, 'message', `${place}.in_context_message_ids`)
  const read = new Map(
    messages.map((message, index) => [message.id, readMessage(message, `${place}.messages[${index}]`)] as const),
  )
  const context = [...contextIds].flatMap((id) => read.get(id) ?? [])
  const recall = messages.flatMap(({ id }) => (contextIds.has(id) ? [] : (read.get(id) ?? [])))
  return withoutPrompts(recall, context)
}

/** The system prompt is compiled anew; prompts of the past are no memories. */
export function withoutPrompts(
  recall: BundledAgent['recall'],
  context: BundledAgent['context'],
): Pick<BundledAgent, 'recall' | 'context'> {
  return {
    recall: recall.filter((message) => message.role !== 'system'),
    context: context[0]?.role === 'system' ? context.slice(1) : context,
  }
}

/** What is in the file and not made by this server. */
function leftOutOf(file: CurrentFile): string[] {
  const lists = ['groups', 'mcp_servers', 'skills'] as const
  const files = (file.files ?? []).some(({ content }) => content == null) ? ['files'] : []
  const identities = file.agents.some((agent) => (agent.identity_ids ?? []).length > 0) ? ['identities'] : []
  return [...files, ...lists.filter((list) => (file[list] ?? []).length > 0), ...identities]
}
