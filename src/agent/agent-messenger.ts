import { addAbortListener } from 'node:events'
import { parseToolArguments } from '#llm/parse-tool-arguments.ts'
import { derivedId, newOrderedId } from '#platform/ids.ts'
import type { RunEngine } from '#runs/run-engine.ts'
import type { RunEvent } from '#runs/run-events.ts'
import { listAgents } from '#store/agents/agent-reader.ts'
import { isUniqueViolation } from '#store/database-error.ts'
import type { Db } from '#store/db.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import type { ClaimedRun } from '#store/runs/run-row.ts'
import type { NewRun } from '#store/runs/start-run.ts'
import type { AgentMessenger } from '#tools/tool.ts'
import { DEFAULT_MAX_STEPS } from './plain-request.ts'

/** Agents that ask agents that ask agents…: so many may wait for each other in a row. */
const MAX_DEPTH = 4
/** An agent that has not answered by then is not waited for any longer; its run goes on. */
const PATIENCE_MS = 600_000

/** The runs of the process, once there are any: the loop is made before them. */
export interface AgentRuns {
  runs?: Pick<RunEngine, 'start' | 'follow' | 'cancel'>
}

/**
 * How the agent of a run speaks to others. What it sends is a run of the other agent under an id that is decided by the call, so
 * that a call that is executed again after a crash sends nothing twice. Agents that wait for each other can never form a circle.
 */
export function createAgentMessenger(db: Db, { runs }: AgentRuns, run: ClaimedRun): AgentMessenger | undefined {
  if (runs === undefined) return undefined
  const organizationId = run.organization_id
  const callers = [...(run.request.callers ?? []), run.agent_id]

  return {
    async send(agentId, text, { callId }) {
      if (callers.includes(agentId))
        return { problem: `${agentId} waits for this very answer, or is yourself: not sent.` }
      if (callers.length > MAX_DEPTH) return { problem: `More than ${MAX_DEPTH} agents wait for each other: not sent.` }
      const runId = derivedId('run', `${callId} ${agentId}`)
      try {
        const started = await runs.start(toRun(run, { runId, agentId, text, callers }))
        return started === undefined ? { problem: `There is no agent ${agentId}.` } : { runId }
      } catch (error) {
        if (isUniqueViolation(error)) return { runId }
        throw error
      }
    },

    async waitFor(runId, signal) {
      const rows: MessageRow[] = []
      const ended = Promise.withResolvers<Extract<RunEvent, { type: 'run-end' }> | undefined>()
      const listener = (event: RunEvent): void => {
        if (event.type === 'message') rows.push(event.message)
        else if (event.type === 'run-end') ended.resolve(event)
      }
      const follower = runs.follow({
        organizationId,
        runId,
        after: 0,
        listener,
        onOver: () => ended.resolve(undefined),
      })
      const timer = setTimeout(() => ended.resolve(undefined), PATIENCE_MS)
      using _ = addAbortListener(signal, () => {
        if (signal.reason === 'cancelled') void runs.cancel(organizationId, runId).catch(() => {})
        ended.resolve(undefined)
      })
      const end = await ended.promise
      clearTimeout(timer)
      follower.close()
      if (end === undefined) return { problem: `The other agent has not answered yet: ${runId}.` }
      if (end.error !== null) return { problem: `The other agent failed: ${end.error.message}` }
      if (end.stopReason === 'requires_approval') return { problem: 'The other agent waits for an approval.' }
      return { texts: rows.flatMap(wordsOf) }
    },

    async findByTags(all, some, limit) {
      const [tags, matchesAllTags] = all.length > 0 ? [all, true] : [some, false]
      const page = { limit: 1000, order: 'asc' as const, orderBy: 'created_at' as const }
      const found = await listAgents(db, organizationId, { tags, matchesAllTags }, page, { tags: true })
      return found
        .filter((agent) => some.length === 0 || some.some((tag) => agent.tags.includes(tag)))
        .slice(0, limit)
        .map((agent) => agent.id)
    },
  }
}

/** What the agent has said in a message: its text, and what it sent by `send_message`. */
function wordsOf(row: MessageRow): string[] {
  if (row.role !== 'assistant') return []
  const texts = row.content.flatMap((part) => (part.type === 'text' && part.is_thought !== true ? [part.text] : []))
  const sent = (row.tool_calls ?? []).flatMap((call) => {
    const args = call.name === 'send_message' ? parseToolArguments(call.arguments) : undefined
    return args?.ok && typeof args.value.message === 'string' ? [args.value.message] : []
  })
  return [...texts, ...sent]
}

function toRun(
  { organization_id, agent_id, id, request }: ClaimedRun,
  { runId, agentId, text, callers }: { runId: string; agentId: string; text: string; callers: string[] },
): NewRun {
  return {
    organizationId: organization_id,
    thread: { agentId },
    runId,
    request: {
      requestId: request.requestId,
      maxSteps: DEFAULT_MAX_STEPS,
      overrideModel: null,
      overrideSystem: null,
      view: { ...request.view, include_return_message_types: null },
      callers,
    },
    input: [
      {
        id: newOrderedId('message'),
        role: 'system',
        content: [{ type: 'text', text }],
        sender_id: agent_id,
        search_text: text,
      },
    ],
    background: true,
    userId: agent_id,
    metadata: { run_type: 'agent_message', sent_by_run: id },
    callbackUrl: null,
  }
}
