import { DomainError, errorMessage } from '#platform/errors.ts'
import type { Logger } from '#platform/logger.ts'
import type { SecretBox } from '#platform/secret-box.ts'
import type { ThreadBlock } from '#store/conversations/load-thread.ts'
import type { Queryable } from '#store/db.ts'
import { type EnvironmentRow, loadEnvironment, loadToolCode, type ToolCodeRow } from '#store/tools/load-tool-code.ts'
import { refuseWrite, updateEffect } from './builtin/block-edit.ts'
import type { PackageLayers } from './packages/package-layers.ts'
import type { PackageRequirement } from './packages/package-requirement.ts'
import { createRedactor } from './redact-secrets.ts'
import { parseNetworkPolicy } from './sandbox/network-rules.ts'
import type { Sandbox } from './sandbox/sandbox.ts'
import {
  type AgentStateView,
  SandboxUnavailable,
  type ToolCall,
  type ToolLanguage,
  type ToolLimits,
  type ToolRunResult,
} from './sandbox/tool-runner.ts'
import { failure, type MemoryEffect, type ToolOutcome } from './tool.ts'
import { openEnvironment } from './tool-environment.ts'

/** True for tools whose code is not the server's: a person's own, and those of MCP servers. */
export const isCustomTool = (toolType: string): boolean => toolType === 'custom' || toolType.startsWith('external_')

/** What becomes of a call of a tool that an agent has and that is neither its owner's nor in the registry: V1's, out of an agent file. */
export const refuseMissingTool = (toolName: string): ToolOutcome =>
  failure(`\`${toolName}\` was not run: this version of the server does not have it.`)

/** Longest text of an error that a model reads; V1's figure. */
const MAX_ERROR_CHARACTERS = 1_000

/** Whose call it is; all of it is told to the code. */
export interface CallingAgent {
  id: string
  blocks: readonly ThreadBlock[]
  conversationId: string
  runId: string
}

export interface CustomToolCall {
  organizationId: string
  toolName: string
  args: Record<string, unknown>
  agent: CallingAgent
}

/** Code that comes with the request and is not stored. */
export interface SourceCall {
  organizationId: string
  language: ToolLanguage
  sourceCode: string
  /** Null runs the source as a program. */
  functionName: string | null
  args: Record<string, unknown>
  /** Over the organisation's variables. */
  env: Readonly<Record<string, string>>
  requirements: readonly PackageRequirement[]
  /** As a tool's metadata has it. */
  network: unknown
  agent?: CallingAgent
  returnCharLimit: number
}

/** A call that can be executed. */
export interface PreparedTool {
  durability: 'external' | 'idempotent'
  /** Failures are results. */
  execute(signal: AbortSignal): Promise<ToolOutcome>
}

export const isPrepared = (found: ToolOutcome | PreparedTool): found is PreparedTool => 'execute' in found

/** Calls a tool of an MCP server. Failures are results. */
export type CallMcpTool = (
  call: { organizationId: string; agentId: string; tool: ToolCodeRow; args: Record<string, unknown> },
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
) => Promise<ToolOutcome>

export interface CustomToolsOptions {
  db: Queryable
  logger: Logger
  secrets: SecretBox
  sandbox: Sandbox
  packages: PackageLayers
  callMcpTool: CallMcpTool
  limits: Omit<ToolLimits, 'resultChars'>
  /** For tools that name no hosts. */
  network: 'none' | 'public'
}

/** Executes tools that are not the server's own: code in the sandbox, and tools of MCP servers. Failures are results for the model. */
export class CustomTools {
  readonly #options: CustomToolsOptions

  constructor(options: CustomToolsOptions) {
    this.#options = options
  }

  /**
   * Reads what a call of a stored tool needs, in one statement. An outcome is what there is to say already; else the call can be
   * executed, with no statement more. The arguments have been checked.
   */
  async prepare(call: CustomToolCall): Promise<ToolOutcome | PreparedTool> {
    const { organizationId, toolName, agent } = call
    const row = await loadToolCode(this.#options.db, organizationId, agent.id, toolName)
    if (row === undefined) return failure(`There is no tool \`${toolName}\` any more.`)
    let environment: Record<string, string>
    try {
      environment = this.#openEnvironment(organizationId, agent.id, row)
    } catch (error) {
      // a secret that another key has sealed is the operator's to mend, and no reason to end the run
      if (error instanceof DomainError) return failure(`\`${toolName}\` was not run: ${error.message}`)
      throw error
    }
    return {
      durability: row.metadata?.idempotent === true ? 'idempotent' : 'external',
      execute: (signal) => this.#execute(call, row, environment, signal),
    }
  }

  async #execute(
    { organizationId, args, agent }: CustomToolCall,
    row: ToolCodeRow & EnvironmentRow,
    environment: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<ToolOutcome> {
    if (row.tool_type !== 'custom') {
      const call = { organizationId, agentId: agent.id, tool: row, args }
      return redactOutcome(await this.#options.callMcpTool(call, environment, signal), environment)
    }
    const ids = {
      LETTA_AGENT_ID: agent.id,
      LETTA_TOOL_ID: row.id,
      LETTA_CONVERSATION_ID: agent.conversationId,
      LETTA_RUN_ID: agent.runId,
      ...(row.project_id === null ? {} : { LETTA_PROJECT_ID: row.project_id, PROJECT_ID: row.project_id }),
    }
    return this.#runCode(
      {
        language: row.source_type === 'typescript' ? 'typescript' : 'python',
        sourceCode: row.source_code ?? '',
        functionName: row.name,
        args,
        requirements: requirementsOf(row),
        network: row.metadata?.network,
        returnCharLimit: row.return_char_limit,
      },
      { environment, ids, agent: { ...agent, row } },
      signal,
    )
  }

  /** Runs code that a request brings. */
  async runSource(call: SourceCall, signal: AbortSignal): Promise<ToolOutcome> {
    const { organizationId, agent } = call
    const row = await loadEnvironment(this.#options.db, organizationId, agent?.id ?? null)
    const environment = { ...this.#openEnvironment(organizationId, agent?.id ?? null, row), ...call.env }
    const ids = agent === undefined ? {} : { LETTA_AGENT_ID: agent.id, LETTA_RUN_ID: agent.runId }
    return this.#runCode(call, { environment, ids, agent: agent === undefined ? undefined : { ...agent, row } }, signal)
  }

  #openEnvironment(organizationId: string, agentId: string | null, row: EnvironmentRow): Record<string, string> {
    return openEnvironment(this.#options.secrets, organizationId, agentId, row)
  }

  async #runCode(code: Code, { environment, ids, agent }: Surroundings, signal: AbortSignal): Promise<ToolOutcome> {
    const { sandbox, packages, limits, network, logger } = this.#options
    const name = code.functionName ?? 'run_code'
    const margin = Math.max(0, ...Object.values(environment).map((value) => value.length))
    try {
      const call: ToolCall = {
        ...code,
        env: { ...environment, ...ids },
        agentState: agent === undefined ? null : toAgentState(agent),
        packages: await packages.find(code.language, code.requirements),
        network: parseNetworkPolicy(code.network, network),
        // a secret that the limit would cut in two could not be found in what is left
        limits: { ...limits, outputChars: limits.outputChars + margin, resultChars: code.returnCharLimit + margin },
      }
      const result = await sandbox.run(call, signal)
      return redactOutcome(toOutcome(name, result, agent?.blocks ?? []), environment, limits.outputChars)
    } catch (error) {
      if (!(error instanceof SandboxUnavailable) && !(error instanceof DomainError)) {
        logger.error({ err: error, tool: name }, 'a tool could not be run')
      }
      return failure(`\`${name}\` was not run: ${errorMessage(error)}`)
    }
  }
}

interface Code {
  language: ToolLanguage
  sourceCode: string
  functionName: string | null
  args: Record<string, unknown>
  requirements: readonly PackageRequirement[]
  /** As the tool's metadata has it. */
  network: unknown
  returnCharLimit: number
}

interface Surroundings {
  environment: Readonly<Record<string, string>>
  ids: Readonly<Record<string, string>>
  agent: (CallingAgent & { row: EnvironmentRow }) | undefined
}

/** The tool's own packages, and those that the sandbox's configuration gives to every Python tool. */
function requirementsOf(row: ToolCodeRow & EnvironmentRow): PackageRequirement[] {
  if (row.source_type === 'typescript') return row.npm_requirements ?? []
  const shared = (row.sandbox_config?.pip_requirements ?? []) as PackageRequirement[]
  return [...(row.pip_requirements ?? []), ...shared]
}

function toAgentState({ id, blocks, row }: CallingAgent & { row: EnvironmentRow }): AgentStateView {
  return {
    id,
    name: row.agent_name ?? '',
    description: row.agent_description,
    blocks: blocks.map(({ id: blockId, label, value, description, char_limit }) => ({
      id: blockId,
      label,
      value,
      description,
      limit: char_limit,
    })),
  }
}

function toOutcome(name: string, result: ToolRunResult, blocks: readonly ThreadBlock[]): ToolOutcome {
  const { stdout, stderr } = result
  if (result.status === 'error') {
    const text = `Error executing function ${name}: ${result.type}: ${result.message}`
    return { status: 'error', text: text.slice(0, MAX_ERROR_CHARACTERS), stdout, stderr }
  }
  const { effects, problems } = toEffects(result.blocks, blocks)
  const notes = problems.map((problem) => `\n[NOTE: ${problem}]`).join('')
  return {
    status: 'success',
    text: `${result.text}${notes}`,
    textLength: result.textLength + notes.length,
    stdout,
    stderr,
    effects,
  }
}

/** What the code made of the agent's blocks, as far as the rules of blocks allow. */
function toEffects(changed: Readonly<Record<string, string>>, blocks: readonly ThreadBlock[]) {
  const effects: MemoryEffect[] = []
  const problems: string[] = []
  for (const [label, value] of Object.entries(changed)) {
    const block = blocks.find((candidate) => candidate.label === label)
    if (block === undefined) problems.push(`There is no memory block \`${label}\`, so what the tool put there is lost.`)
    else {
      const refusal = refuseWrite(block, value)
      if (refusal !== undefined) problems.push(refusal)
      else if (value !== block.value) effects.push(updateEffect(block, value))
    }
  }
  return { effects, problems }
}

/** No secret in what the model, the client, the log and the database get. */
function redactOutcome(
  outcome: ToolOutcome,
  secrets: Readonly<Record<string, string>>,
  maxCharacters = Number.POSITIVE_INFINITY,
): ToolOutcome {
  const redact = createRedactor(secrets)
  // a secret of several lines is a secret too
  const lines = (given: readonly string[] | null | undefined): string[] | null => {
    if (given === undefined || given === null) return null
    return given.length === 0 ? [] : redact(given.join('\n')).slice(0, maxCharacters).split('\n')
  }
  const effects = outcome.effects?.map((effect) =>
    effect.type === 'update-block' ? { ...effect, value: redact(effect.value) } : effect,
  )
  return {
    ...outcome,
    text: redact(outcome.text),
    stdout: lines(outcome.stdout),
    stderr: lines(outcome.stderr),
    ...(effects === undefined ? {} : { effects }),
  }
}
