import type { ImagePart } from '#llm/model.ts'
import type { RetrievalLog } from '#memory/retrieval-log.ts'
import type { VectorSearch } from '#memory/search/vector-search.ts'
import type { FileView } from '#store/agents/agent-file-writer.ts'
import type { ThreadBlock } from '#store/conversations/load-thread.ts'
import type { Queryable } from '#store/db.ts'
import type { PageFetcher } from './web/page-fetcher.ts'
import type { WebSearch } from './web/web-search.ts'

/** A change of memory. Effects are data: they are committed in one statement together with the result of the call. */
export type MemoryEffect =
  | {
      type: 'update-block'
      blockId: string
      expectedVersion: number
      label: string
      value: string
      description: string | null
    }
  | { type: 'create-block'; label: string; value: string; description: string | null }
  | { type: 'detach-block'; blockId: string }
  | { type: 'insert-passage'; text: string; tags: string[] }
  | { type: 'view-files'; views: FileView[] }

export interface ToolOutcome {
  status: 'success' | 'error'
  /** What the model and the client read. */
  text: string
  /** Characters of the whole text, where only a part of it was kept. */
  textLength?: number
  effects?: MemoryEffect[]
  images?: ImagePart[]
  stdout?: string[] | null
  stderr?: string[] | null
  /** See `ToolReturn`. */
  is_violation?: boolean
  is_fatal?: boolean
}

export interface ToolContext {
  organizationId: string
  agentId: string
  conversationId: string
  runId: string
  /** IANA name; times in results are given in it. */
  timezone: string
  /** The agent's blocks, current as of the last commit or reload. */
  blocks: readonly ThreadBlock[]
  db: Queryable
  /** Aborted when the run is cancelled or given up. Nobody waits for the tool then, and what it gives late is dropped. */
  signal: AbortSignal
  /** The same whenever this call is executed again: a key for services that do a thing once for each key. */
  callId: string
  /** Undefined where there is no way to other agents. */
  messenger?: AgentMessenger | undefined
  services?: ToolServices
  /** The variables of the agent's tools, its secrets among them; for tools that ask for them. */
  environment?: Readonly<Record<string, string>> | undefined
}

/** What tools of the server work with, besides the database. What is undefined is not there. */
export interface ToolServices {
  /** Runs code in the sandbox. */
  code?: CodeRunner | undefined
  pages?: Pick<PageFetcher, 'fetch'> | undefined
  search?: Pick<WebSearch, 'search'> | undefined
  /** Finds memories by what they mean; without it they are found by their words. */
  vectors?: VectorSearch | undefined
  /** Notes which passages a search has given. */
  retrievals?: Pick<RetrievalLog, 'recordRetrieved'> | undefined
  /** The variables of an agent's tools, its secrets among them. */
  environmentOf?: ((organizationId: string, agentId: string) => Promise<Readonly<Record<string, string>>>) | undefined
}

/** Runs code that a model has written. */
export interface CodeRunner {
  run(
    code: { language: 'python' | 'typescript'; sourceCode: string; withTools: boolean },
    context: ToolContext,
  ): Promise<ToolOutcome>
}

/** Speaks to other agents of the organisation, for the one whose run it is. */
export interface AgentMessenger {
  /** Sends once for each call, however often that is executed. `problem` is for the model. */
  send(agentId: string, text: string, call: { callId: string }): Promise<{ runId: string } | { problem: string }>
  /** What the other agent said in its run, once that has ended. */
  waitFor(runId: string, signal: AbortSignal): Promise<{ texts: string[] } | { problem: string }>
  /** Ids of agents that have all of the first tags and one of the second. */
  findByTags(all: readonly string[], some: readonly string[], limit: number): Promise<string[]>
}

/** The wire's `tool_type`. */
export type ToolType =
  | 'letta_core'
  | 'letta_files_core'
  | 'letta_memory_core'
  | 'letta_sleeptime_core'
  | 'letta_multi_agent_core'
  | 'letta_builtin'
  | 'letta_voice_sleeptime_core'

/**
 * What a crash during the call means:
 * `transactional` effect and result commit together, so it is run again when there is no result ·
 * `read` has no effect, so it is run again ·
 * `idempotent` has an effect outside our database, but the same one however often it is run with one `callId`: run again ·
 * `external` has an effect outside our database that must not be doubled: it is never run again, and the model is told that it was
 * interrupted. Costs a statement before each call. It cannot change memory.
 */
export type ToolDurability = 'transactional' | 'read' | 'idempotent' | 'external'

export interface BuiltinTool {
  name: string
  description: string
  toolType: ToolType
  /** JSON Schema of the arguments object. */
  parameters: Record<string, unknown>
  durability: ToolDurability
  /** It is given the variables and secrets of the agent, which costs a statement. */
  needsEnvironment?: true
  /** Arguments are already validated against `parameters`. Throws only for faults; what the model can mend is an error outcome. */
  execute(args: Record<string, unknown>, context: ToolContext): ToolOutcome | Promise<ToolOutcome>
}

export const success = (text: string, effects: MemoryEffect[] = []): ToolOutcome => ({
  status: 'success',
  text,
  effects,
})
export const failure = (text: string): ToolOutcome => ({ status: 'error', text })
