import type { NewAgentInput } from '#agent/create-agent.ts'
import type { ContentPart, ToolCallPart } from '#llm/model.ts'
import type { NewBlockInput } from '#memory/block-rules.ts'
import type { NewArchivePassage } from '#memory/insert-archive-passages.ts'
import type { FolderFields } from '#store/folders/folder-writer.ts'
import type { ToolRow } from '#store/tools/tool-row.ts'

/** Agents with all that they need, on their way from one server to another: what a file says, whatever its format. */
export interface AgentBundle {
  agents: BundledAgent[]
  blocks: BundledBlock[]
  tools: BundledTool[]
  folders: BundledFolder[]
  archives: BundledArchive[]
  /** Parts of the file that this server does not make: `groups`, `mcp_servers`… */
  leftOut: string[]
}

/** What goes wrong with a part of the bundle is told with its place: where it stands in the file, `agents[0]`. */
interface Placed {
  place: string
}

/** Ids are the bundle's own: they mean nothing outside of it. */
export interface BundledAgent extends Placed {
  input: NewAgentInput
  /** After the blocks that `input` itself brings. */
  blockIds: string[]
  toolIds: string[]
  folderIds: string[]
  archiveId: string | undefined
  /** The files that it has open, those used last at the end. Undefined where the bundle does not say. */
  openFiles: BundledView[] | undefined
  /** Messages that the agent remembers and does not see, then those in context. Without the system prompt. */
  recall: BundledMessage[]
  context: BundledMessage[]
}

export interface BundledBlock extends Placed {
  id: string
  input: NewBlockInput
}

export interface BundledFolder extends Placed {
  id: string
  fields: FolderFields
  files: BundledFile[]
}

export interface BundledArchive extends Placed {
  id: string
  fields: { name: string; description: string | null; embedding: string | null }
  /** In their order. */
  passages: NewArchivePassage[]
}

export interface BundledFile extends Placed {
  id: string
  /** The last part of it is the name within the folder. */
  name: string
  originalName: string
  mediaType: string | null
  text: string
}

/** An open file: from its beginning, or these lines of it, counted from 1, both inclusive. */
export interface BundledView {
  fileId: string
  lines: { start: number; end: number } | null
}

export interface BundledTool extends Placed {
  id: string
  tool: Pick<
    ToolRow,
    | 'name'
    | 'tool_type'
    | 'description'
    | 'source_type'
    | 'source_code'
    | 'json_schema'
    | 'args_json_schema'
    | 'tags'
    | 'return_char_limit'
    | 'pip_requirements'
    | 'npm_requirements'
    | 'default_requires_approval'
    | 'enable_parallel_execution'
    | 'metadata'
  >
}

/** A result as a file has it: perhaps of a call that is not there. */
export interface BundledResult {
  tool_call_id: string
  status: 'success' | 'error'
  text: string
  stdout: string[] | null
  stderr: string[] | null
}

export interface BundledMessage {
  role: 'system' | 'user' | 'assistant' | 'tool' | 'approval' | 'summary'
  content: ContentPart[]
  toolCalls: ToolCallPart[]
  results: BundledResult[]
  name: string | null
  model: string | null
  otid: string | null
  senderId: string | null
  /** Undefined where the file does not say. */
  createdAt: Date | undefined
}
