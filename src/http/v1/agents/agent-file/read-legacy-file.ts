import type { AgentBundle } from '#agent/agent-file/bundle.ts'
import { corrupted } from './corrupted.ts'
import type { LegacyFile } from './file-schema.ts'
import { MAX_MESSAGES, withoutPrompts } from './read-current-file.ts'
import { readMessage } from './read-messages.ts'
import { readBlock, readModel, readTool } from './read-parts.ts'

/** A file of the format before today's: one agent that has all its parts within. Throws invalid_argument. */
export function readLegacyFile(file: LegacyFile): AgentBundle {
  const blocks = file.core_memory.map((block, index) => ({
    id: `block-${index}`,
    place: `core_memory[${index}]`,
    input: readBlock(block),
  }))
  const tools = (file.tools ?? []).map((tool, index) => {
    const place = `tools[${index}]`
    return { id: `tool-${index}`, place, tool: readTool(tool, place) }
  })
  const twice = tools.find(({ tool }, index) => tools.findIndex((other) => other.tool.name === tool.name) < index)
  if (twice !== undefined) throw corrupted(`${twice.place}.name: there are two tools of the name '${twice.tool.name}'.`)
  return {
    agents: [
      {
        place: 'agent',
        input: {
          ...readModel(file),
          name: file.name,
          agent_type: file.agent_type ?? 'memgpt_agent',
          description: file.description,
          system: file.system,
          tool_rules: file.tool_rules,
          include_base_tools: false,
          tags: file.tags,
          secrets: Object.fromEntries(
            (file.tool_exec_environment_variables ?? []).map(({ key, value }) => [key, value ?? '']),
          ),
          metadata: file.metadata_ ?? file.metadata,
          message_buffer_autoclear: file.message_buffer_autoclear,
        },
        blockIds: blocks.map((block) => block.id),
        toolIds: tools.map((tool) => tool.id),
        folderIds: [],
        archiveId: undefined,
        openFiles: undefined,
        ...readThread(file),
      },
    ],
    blocks,
    tools,
    folders: [],
    archives: [],
    leftOut: [],
  }
}

function readThread(file: LegacyFile) {
  const messages = file.messages ?? []
  if (messages.length > MAX_MESSAGES) throw corrupted(`messages: there are more than ${MAX_MESSAGES}.`)
  const indices = file.in_context_message_indices ?? messages.map((_, index) => index)
  const inContext = new Set(indices)
  if (inContext.size < indices.length) throw corrupted('in_context_message_indices: an index is there twice.')
  const read = messages.map((message, index) => readMessage(message, `messages[${index}]`))
  const context = indices.map((index, position) => {
    const message = read[index]
    if (message === undefined) {
      throw corrupted(
        `in_context_message_indices[${position}]: there are ${messages.length} messages, no number ${index}.`,
      )
    }
    return message
  })
  return withoutPrompts(
    read.filter((_, index) => !inContext.has(index)),
    context,
  )
}
