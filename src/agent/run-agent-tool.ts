import { DomainError, errorMessage, notFound } from '#platform/errors.ts'
import { newOrderedId } from '#platform/ids.ts'
import type { Logger } from '#platform/logger.ts'
import { agentNotFound } from '#store/agents/require-agent.ts'
import { findDefaultThreadId } from '#store/conversations/find-default-thread-id.ts'
import { findThread, loadBlocks, type ThreadRow, type ThreadTool } from '#store/conversations/load-thread.ts'
import { isTransient, isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import { applyEffects } from '#tools/apply-effects.ts'
import { isCustomTool, runCustomTool } from '#tools/custom-tool.ts'
import { findBuiltinTool } from '#tools/registry.ts'
import { failure, type ToolOutcome } from '#tools/tool.ts'
import { findArgumentProblem } from '#tools/validate-arguments.ts'
import { cleanText, limitText } from './run-tools.ts'

/** Another writer can change a block between our read and our write. */
const MAX_CONFLICTS = 20
const TIMEOUT_MS = 60_000

interface ToolRequest {
  actor: { organizationId: string; userId: string }
  agentId: string
  toolName: string
  args: Record<string, unknown>
}

/**
 * Runs a tool of an agent once, for a person and not in a run: nothing is said in the agent's conversation, and what the tool changes in
 * its memory is committed in one transaction before this returns. Throws not_found (agent, tool that it does not have).
 */
export async function runAgentTool(db: Db, logger: Logger, request: ToolRequest): Promise<ToolOutcome> {
  const { organizationId } = request.actor
  const threadId = await findDefaultThreadId(db, organizationId, request.agentId)
  const thread = threadId === undefined ? undefined : await findThread(db, organizationId, threadId)
  if (thread === undefined) throw agentNotFound(request.agentId)
  const attached = thread.tools.find((tool) => tool.name === request.toolName)
  if (attached === undefined) {
    throw notFound(`Tool not found: agent ${request.agentId} has no tool named '${request.toolName}'. Attach it first.`)
  }
  const outcome = await execute(db, logger, { ...request, thread, attached })
  return { status: outcome.status, text: cleanText(limitText(outcome.text, attached.return_char_limit)) }
}

interface AttachedRequest extends ToolRequest {
  thread: ThreadRow
  attached: ThreadTool
}

async function execute(db: Db, logger: Logger, request: AttachedRequest): Promise<ToolOutcome> {
  const { actor, agentId, toolName, args, thread, attached } = request
  if (isCustomTool(attached.tool_type)) return runCustomTool(attached)
  const tool = findBuiltinTool(toolName)
  if (tool === undefined) return failure(`\`${toolName}\` was not run: this version of the server does not have it.`)
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
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }
  try {
    let { blocks } = thread
    for (let conflicts = 0; conflicts < MAX_CONFLICTS; conflicts += 1) {
      const outcome = await tool.execute(args, { ...context, blocks })
      const effects = outcome.status === 'success' ? (outcome.effects ?? []) : []
      if (effects.length === 0 || (await applyEffects(db, { ...actor, agentId }, effects))) return outcome
      blocks = await loadBlocks(db, actor.organizationId, thread.conversation_id)
    }
    return failure('The memory block is being edited by others all the time. Try again later.')
  } catch (error) {
    if (isTransient(error)) throw error
    if (isUniqueViolation(error)) return failure('The agent has a memory block of this label already.')
    if (!(error instanceof DomainError)) logger.warn({ tool: toolName, error: errorMessage(error) }, 'tool failed')
    return failure(`Error executing function ${toolName}: ${errorMessage(error)}`)
  }
}
