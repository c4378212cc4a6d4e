import { addAbortListener } from 'node:events'
import { parseToolArguments } from '#llm/parse-tool-arguments.ts'
import { errorMessage } from '#platform/errors.ts'
import { retryTransient } from '#runs/retry-transient.ts'
import type { ThreadTool } from '#store/conversations/load-thread.ts'
import { isTransient } from '#store/database-error.ts'
import type { ToolReturn } from '#store/messages/message-row.ts'
import { startToolCall } from '#store/tool-calls/start-tool-call.ts'
import { isCustomTool, isPrepared, refuseMissingTool } from '#tools/custom-tools.ts'
import { environmentFor } from '#tools/environment-for.ts'
import { type BuiltinTool, failure, type ToolDurability, type ToolOutcome } from '#tools/tool.ts'
import { findArgumentProblem, findCustomArgumentProblem } from '#tools/validate-arguments.ts'
import { withoutAdditions } from './inner-thoughts.ts'
import type { PendingCall, ToolRun } from './run-tools.ts'

/** Said of a call that was begun and whose end nobody knows. */
const INTERRUPTED = 'The server was interrupted while this tool ran; it may or may not have taken effect.'
const CANCELLED_BEFORE = 'The user cancelled the request, so this tool was not run.'
const CANCELLED_MEANWHILE = 'The user cancelled the request while this tool ran, so its result is not known.'

/** A call that has passed every check. */
interface ReadyCall {
  durability: ToolDurability
  execute: () => Promise<ToolOutcome>
}

const isReady = (found: ToolOutcome | ReadyCall): found is ReadyCall => 'execute' in found

export const retryOptions = (run: ToolRun) => ({ signal: run.signal, logger: run.logger })

/** What a call gave. What `isFinal` cannot be had again: the call must not be executed twice. */
export interface ExecutedCall {
  outcome: ToolOutcome
  isFinal: boolean
}

/**
 * Executes one call, and stores before, where it must not be executed twice, that it was begun.
 * @returns undefined when the run is not ours any more
 */
export async function executeCall(
  run: ToolRun,
  call: PendingCall,
  results: readonly ToolReturn[],
): Promise<ExecutedCall | undefined> {
  const ready = await prepareCall(run, call, results)
  if (!isReady(ready)) return { outcome: ready, isFinal: false }
  const outcome = await execute(run, call, ready)
  return outcome === undefined ? undefined : { outcome, isFinal: ready.durability === 'external' }
}

async function execute(run: ToolRun, call: PendingCall, ready: ReadyCall): Promise<ToolOutcome | undefined> {
  const isExternal = ready.durability === 'external'
  if (isExternal && !(await beginCall(run, call))) return undefined
  try {
    // what the others do before their commit has no effect, or the same again, so it can be repeated
    const outcome = await unlessAborted(
      run.signal,
      isExternal ? ready.execute : () => retryTransient(retryOptions(run), ready.execute),
    )
    if (outcome === undefined) return run.signal.reason === 'cancelled' ? failure(CANCELLED_MEANWHILE) : undefined
    return outcome
  } catch (error) {
    if (isTransient(error) && !isExternal) throw error
    run.logger.warn({ tool: call.name, error: errorMessage(error) }, 'tool failed')
    return failure(`Error executing function ${call.name}: ${errorMessage(error)}`)
  }
}

async function prepareCall(
  run: ToolRun,
  call: PendingCall,
  results: readonly ToolReturn[],
): Promise<ToolOutcome | ReadyCall> {
  if (call.isStarted) return failure(INTERRUPTED)
  const verdict = run.judge(call, results)
  if (verdict !== undefined) return verdict
  if (run.signal.reason === 'cancelled') return failure(CANCELLED_BEFORE)
  const attached = run.tools.find((tool) => tool.name === call.name)
  if (attached === undefined) {
    const names = run.tools.map((candidate) => candidate.name).join(', ')
    return failure(`There is no tool \`${call.name}\`. Available tools: ${names || 'none'}.`)
  }
  const isCustom = isCustomTool(attached.tool_type)
  const tool = isCustom ? undefined : run.findTool(call.name)
  if (tool === undefined && !isCustom) return refuseMissingTool(call.name)
  const parsed = parseToolArguments(call.arguments)
  if (!parsed.ok) {
    return failure(`The arguments of ${call.name} could not be read: ${parsed.problem} Send one JSON object.`)
  }
  const args = withoutAdditions(call.name, parsed.value, run.additions)
  return tool === undefined ? prepareCustom(run, call, attached, args) : prepareBuiltin(run, call, tool, args)
}

function prepareBuiltin(
  run: ToolRun,
  call: PendingCall,
  tool: BuiltinTool,
  args: Record<string, unknown>,
): ToolOutcome | ReadyCall {
  const { parameters, durability } = tool
  const refusal = refuseUnknown(tool.name, parameters, run.prefilled(call))
  if (refusal !== undefined) return refusal
  const problem = findArgumentProblem(parameters, args)
  if (problem !== undefined) return refuseProblem(tool.name, problem, run.prefilled(call))
  return {
    durability,
    execute: async () =>
      tool.execute(args, {
        environment: await environmentFor(tool, run.services, run.lease.organizationId, run.agentId),
        organizationId: run.lease.organizationId,
        agentId: run.agentId,
        conversationId: run.conversationId,
        runId: run.lease.runId,
        timezone: run.timezone,
        blocks: run.blocks,
        db: run.db,
        signal: run.signal,
        callId: call.id,
        messenger: run.messenger,
        services: run.services,
      }),
  }
}

async function prepareCustom(
  run: ToolRun,
  call: PendingCall,
  attached: ThreadTool,
  args: Record<string, unknown>,
): Promise<ToolOutcome | ReadyCall> {
  const { customTools } = run
  if (customTools === undefined) return failure(`\`${call.name}\` was not run: tools of this kind are not run here.`)
  const parameters = attached.json_schema?.parameters ?? {}
  const refusal = refuseUnknown(call.name, parameters, run.prefilled(call))
  if (refusal !== undefined) return refusal
  const problem = findCustomArgumentProblem(parameters, args)
  if (problem !== undefined) return refuseProblem(call.name, problem, run.prefilled(call))
  const agent = {
    id: run.agentId,
    blocks: run.blocks,
    conversationId: run.conversationId,
    runId: run.lease.runId,
  }
  const request = { organizationId: run.lease.organizationId, toolName: call.name, args, agent }
  const prepared = await retryTransient(retryOptions(run), () => customTools.prepare(request))
  if (!isPrepared(prepared)) return prepared
  return { durability: prepared.durability, execute: () => prepared.execute(run.signal) }
}

/** A rule that sets arguments which the tool does not have is the end of the turn: the model cannot mend it. */
function refuseUnknown(
  name: string,
  parameters: { properties?: unknown },
  prefilled: readonly string[],
): ToolOutcome | undefined {
  const properties = (parameters.properties ?? {}) as object
  const unknown = prefilled.filter((argument) => !Object.hasOwn(properties, argument))
  if (unknown.length === 0) return undefined
  const text = `A tool rule sets arguments that ${name} does not have: ${unknown.join(', ')}.`
  return { ...failure(text), is_fatal: true }
}

/** What is wrong with arguments: for the model to mend, or, where a rule has set what does not fit, the end of the turn. */
function refuseProblem(name: string, problem: string, prefilled: readonly string[]): ToolOutcome {
  const isOfRule = prefilled.some((argument) =>
    problem.split('; ').some((part) => /^[ .]/.test(part.slice(argument.length)) && part.startsWith(argument)),
  )
  return { ...failure(`Invalid arguments for ${name}: ${problem}.`), ...(isOfRule ? { is_fatal: true } : {}) }
}

/** Stores that a call was begun before it is: whoever takes the run over will not begin it again. */
async function beginCall(run: ToolRun, call: PendingCall): Promise<boolean> {
  // a call that has begun already was begun here: the answer to an earlier attempt got lost
  const outcome = await retryTransient(retryOptions(run), () => startToolCall(run.db, run.lease, call))
  return outcome !== 'lease-lost'
}

/** What the work gives, or undefined as soon as the signal is aborted: a tool that does not mind it is left alone with its work. */
async function unlessAborted<Result>(signal: AbortSignal, work: () => Promise<Result>): Promise<Result | undefined> {
  if (signal.aborted) return undefined
  const aborted = Promise.withResolvers<undefined>()
  const listener = addAbortListener(signal, () => aborted.resolve(undefined))
  try {
    return await Promise.race([work(), aborted.promise])
  } finally {
    listener[Symbol.dispose]()
  }
}
