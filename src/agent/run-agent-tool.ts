import { MAX_CONFLICTS, waitAfterConflict } from '#memory/retry-conflicts.ts'
import { DomainError, errorMessage, notFound } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { Logger } from '#platform/logger.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { findDefaultThreadId } from '#store/conversations/find-default-thread-id.ts'
import { findThread, loadBlocks, type ThreadRow, type ThreadTool } from '#store/conversations/load-thread.ts'
import { isTransient, isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import { applyEffects } from '#tools/apply-effects.ts'
import { type CustomTools, isCustomTool, isPrepared, refuseMissingTool } from '#tools/custom-tools.ts'
import { environmentFor } from '#tools/environment-for.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import { failure, type ToolOutcome, type ToolServices } from '#tools/tool.ts'
import { findArgumentProblem, findCustomArgumentProblem } from '#tools/validate-arguments.ts'
import { rebaseOutcome } from './rebase-outcome.ts'
import { cleanText, limitText } from './run-tools.ts'

const TIMEOUT_MS = 60_000

interface ToolRequest {
  actor: { organizationId: string; userId: string }
  agentId: string
  toolName: string
  args: Record<string, unknown>
}

/** What tools are run with. */
export interface ToolDesk {
  db: Db
  logger: Logger
  customTools: CustomTools
  services: ToolServices
}

/**
 * Runs a tool of an agent once, for a person and not in a run: nothing is said in the agent's conversation, and what the tool changes in
 * its memory is committed in one transaction before this returns. Throws not_found (agent, tool that it does not have).
 */
export async function runAgentTool(desk: ToolDesk, request: ToolRequest): Promise<ToolOutcome> {
  const { db } = desk
  const { organizationId } = request.actor
  const threadId = await findDefaultThreadId(db, organizationId, request.agentId)
  const thread = threadId === undefined ? undefined : await findThread(db, organizationId, threadId)
  if (thread === undefined) throw agentNotFound(request.agentId)
  const attached = thread.tools.find((tool) => tool.name === request.toolName)
  if (attached === undefined) {
    throw notFound(`Tool not found: agent ${request.agentId} has no tool named '${request.toolName}'. Attach it first.`)
  }
  const outcome = await execute(desk, { ...request, thread, attached })
  const text = limitText(outcome.text, attached.return_char_limit, outcome.textLength)
  return { ...outcome, text: cleanText(text) }
}

interface AttachedRequest extends ToolRequest {
  thread: ThreadRow
  attached: ThreadTool
}

async function execute(desk: ToolDesk, request: AttachedRequest): Promise<ToolOutcome> {
  const { toolName } = request
  try {
    return isCustomTool(request.attached.tool_type)
      ? await executeCustom(desk, request)
      : await executeBuiltin(desk, request)
  } catch (error) {
    if (isTransient(error)) throw error
    if (isUniqueViolation(error)) return failure('The agent has a memory block of this label already.')
    if (!(error instanceof DomainError)) desk.logger.warn({ tool: toolName, error: errorMessage(error) }, 'tool failed')
    return failure(`Error executing function ${toolName}: ${errorMessage(error)}`)
  }
}

async function executeBuiltin(desk: ToolDesk, request: AttachedRequest): Promise<ToolOutcome> {
  const { actor, agentId, toolName, args, thread } = request
  const { db, services } = desk
  const tool = findBuiltinTool(toolName)
  if (tool === undefined) return refuseMissingTool(toolName)
  const problem = findArgumentProblem(tool.parameters, args)
  if (problem !== undefined) return failure(`Invalid arguments for ${toolName}: ${problem}.`)
  const context = {
    organizationId: actor.organizationId,
    agentId,
    conversationId: thread.conversation_id,
    // there is no run: ids that nothing else has
    runId: newOrderedId('run'),
    callId: newOrderedId('call'),
    timezone: thread.timezone,
    db,
    services,
    environment: await environmentFor(tool, services, actor.organizationId, agentId),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }
  let { blocks } = thread
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    const outcome = await tool.execute(args, { ...context, blocks })
    if (await applyOutcome(db, request, outcome)) return outcome
    await waitAfterConflict(conflicts)
    blocks = await loadBlocks(db, actor.organizationId, thread.conversation_id)
  }
  return failure('The memory block is being edited by others all the time. Try again later.')
}

/** The code runs once, whatever becomes of the blocks meanwhile. */
async function executeCustom({ db, customTools }: ToolDesk, request: AttachedRequest): Promise<ToolOutcome> {
  const { actor, agentId, toolName, args, thread, attached } = request
  const { organizationId } = actor
  const problem = findCustomArgumentProblem(attached.json_schema?.parameters ?? {}, args)
  if (problem !== undefined) return failure(`Invalid arguments for ${toolName}: ${problem}.`)
  let { blocks } = thread
  const agent = { id: agentId, blocks, conversationId: thread.conversation_id, runId: newOrderedId('run') }
  const prepared = await customTools.prepare({ organizationId, toolName, args, agent })
  if (!isPrepared(prepared)) return prepared
  let outcome = await prepared.execute(NEVER)
  for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
    if (await applyOutcome(db, request, outcome)) return outcome
    await waitAfterConflict(conflicts)
    const now = await loadBlocks(db, organizationId, thread.conversation_id)
    outcome = rebaseOutcome(outcome, blocks, now)
    blocks = now
  }
  return failure(
    'The tool was run, but what it made of the memory blocks was not stored: others edit them all the time.',
  )
}

/** The sandbox has its own limit of time. */
const NEVER = new AbortController().signal

/** False when somebody has changed a block meanwhile. */
async function applyOutcome(db: Db, request: ToolRequest, outcome: ToolOutcome): Promise<boolean> {
  const { actor, agentId, toolName } = request
  const effects = outcome.status === 'success' ? (outcome.effects ?? []) : []
  return effects.length === 0 || applyEffects(db, { ...actor, agentId, toolName }, effects)
}
