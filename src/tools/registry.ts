import { archivalMemoryInsert } from './builtin/archival-memory-insert.ts'
import { archivalMemorySearch } from './builtin/archival-memory-search.ts'
import { conversationSearch } from './builtin/conversation-search.ts'
import { coreMemoryAppend } from './builtin/core-memory-append.ts'
import { coreMemoryReplace } from './builtin/core-memory-replace.ts'
import { fetchWebpage } from './builtin/fetch-webpage.ts'
import { grepFiles } from './builtin/grep-files.ts'
import { memory } from './builtin/memory.ts'
import { memoryApplyPatch } from './builtin/memory-apply-patch.ts'
import { memoryFinishEdits } from './builtin/memory-finish-edits.ts'
import { memoryInsert } from './builtin/memory-insert.ts'
import { memoryReplace } from './builtin/memory-replace.ts'
import { memoryRethink } from './builtin/memory-rethink.ts'
import { openFiles } from './builtin/open-files.ts'
import { runCode, runCodeWithTools } from './builtin/run-code.ts'
import { semanticSearchFiles } from './builtin/semantic-search-files.ts'
import { sendMessage } from './builtin/send-message.ts'
import {
  sendMessageToAgentAndWaitForReply,
  sendMessageToAgentAsync,
  sendMessageToAgentsMatchingTags,
} from './builtin/send-message-to-agent.ts'
import { finishRethinkingMemory, rethinkUserMemory, searchMemory, storeMemories } from './builtin/voice-memory.ts'
import { webSearch } from './builtin/web-search.ts'
import type { BuiltinTool } from './tool.ts'

/** The tools that the server itself executes. A new one is a file in `builtin/` and a line here. */
export const BUILTIN_TOOLS: readonly BuiltinTool[] = [
  archivalMemoryInsert,
  archivalMemorySearch,
  conversationSearch,
  coreMemoryAppend,
  coreMemoryReplace,
  finishRethinkingMemory,
  fetchWebpage,
  grepFiles,
  memory,
  memoryApplyPatch,
  memoryFinishEdits,
  memoryInsert,
  memoryReplace,
  memoryRethink,
  openFiles,
  runCode,
  runCodeWithTools,
  rethinkUserMemory,
  searchMemory,
  semanticSearchFiles,
  sendMessage,
  sendMessageToAgentAndWaitForReply,
  sendMessageToAgentAsync,
  sendMessageToAgentsMatchingTags,
  storeMemories,
  webSearch,
]

const byName = new Map(BUILTIN_TOOLS.map((tool) => [tool.name, tool]))

export function findBuiltinTool(name: string): BuiltinTool | undefined {
  return byName.get(name)
}
