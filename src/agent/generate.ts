import { cleanReply, cleanText } from '#llm/clean-reply.ts'
import {
  type Model,
  ModelError,
  type ModelRegistry,
  type ModelReply,
  type ModelRequest,
  type ModelTiming,
  type Usage,
} from '#llm/model.ts'
import { parseToolArguments } from '#llm/parse-tool-arguments.ts'
import { unprocessable } from '#platform/errors.ts'
import { getAgent } from '#store/agents/agent-reader.ts'
import type { Db } from '#store/db.ts'
import { insertProviderCall } from '#store/provider-calls/insert-provider-call.ts'
import type { ProviderCall } from '#store/provider-calls/provider-call.ts'
import type { AgentAuthor } from './create-agent.ts'
import { resolveModelSettings } from './model-settings.ts'
import { describeCall, measuredCall, readWholeReply } from './provider-call.ts'
import { errorTypeOf } from './run-step.ts'
import { settingsFor } from './settings-for.ts'

export interface GenerateInput {
  prompt: string
  system_prompt?: string | null | undefined
  /** Handle. */
  override_model?: string | null | undefined
  /** JSON Schema of an object; the answer is then JSON, as far as the model keeps to it. */
  response_schema?: Record<string, unknown> | null | undefined
}

export interface Generated {
  content: string
  /** Handle. */
  model: string
  usage: Usage
}

/** By calling it the model gives an answer of a certain shape: every provider has tools, not every one has schemas of answers. */
const ANSWER_TOOL = 'give_answer'

/**
 * Asks an agent's model one question with the agent's settings, and nothing else of the agent: no memory, no tools, nothing
 * is stored but the row in the ledger.
 * Throws unprocessable (blank prompt), not_found (agent, model), invalid_argument (malformed handle), ModelError.
 */
export async function generate(
  { db, models }: { db: Db; models: ModelRegistry },
  author: AgentAuthor,
  agentId: string,
  input: GenerateInput,
  signal: AbortSignal,
): Promise<Generated> {
  if (input.prompt.trim() === '') throw unprocessable('body.prompt: The prompt must not be blank.')
  const agent = await getAgent(db, author.organizationId, agentId, {})
  const model = await models.getModel(input.override_model ?? agent.model, author.organizationId)
  const stored = settingsFor(agent.model_settings, agent.model, model.info)
  const request = toRequest(input, resolveModelSettings(stored, null, null), signal)
  const reply = await askAndRecord(db, author, agentId, model, request)
  const content = request.tools.length > 0 ? jsonOf(reply) : textOf(reply)
  return { content, model: model.info.handle, usage: reply.usage }
}

/** The model's answer; what it cost, or how it failed, is in the ledger before anybody has it. */
async function askAndRecord(
  db: Db,
  author: AgentAuthor,
  agentId: string,
  model: Model,
  request: ModelRequest,
): Promise<ModelReply> {
  const startedAt = new Date()
  const record = (outcome: Partial<ProviderCall>): Promise<void> =>
    insertProviderCall(db, author, agentId, { ...describeCall('generate', model, startedAt), ...outcome })
  const answer = await ask(model, request).catch(async (error: unknown) => {
    if (!(error instanceof ModelError)) throw error
    error.message = cleanText(error.message)
    await record({ status: error.kind === 'aborted' ? 'cancelled' : 'failed', error_type: errorTypeOf(error) })
    throw error
  })
  await record(measuredCall(answer.reply.usage, answer.timing))
  return answer.reply
}

function toRequest(input: GenerateInput, settings: ModelRequest['settings'], signal: AbortSignal): ModelRequest {
  const { prompt, system_prompt: system, response_schema: schema } = input
  const request: ModelRequest = {
    messages: [
      // an empty one is not sent
      { role: 'system', text: system ?? '' },
      { role: 'user', content: [{ type: 'text', text: prompt }] },
    ],
    tools: [],
    toolChoice: { type: 'none' },
    settings,
    signal,
  }
  if (schema == null) return request
  const tool = { name: ANSWER_TOOL, description: 'Give your answer by calling this.', parameters: toParameters(schema) }
  // a model that must call a tool cannot think first (Anthropic refuses both together)
  const { response_format: _, reasoning_effort: __, ...others } = settings
  return {
    ...request,
    tools: [tool],
    toolChoice: { type: 'tool', name: ANSWER_TOOL },
    settings: { ...others, reasoning_budget_tokens: 0, parallel_tool_calls: false },
  }
}

const toParameters = (schema: Record<string, unknown>): Record<string, unknown> => ({
  properties: {},
  ...schema,
  type: 'object',
})

async function ask(model: Model, request: ModelRequest): Promise<{ reply: ModelReply; timing: ModelTiming }> {
  const { reply, timing } = await readWholeReply(model, request)
  return { reply: cleanReply(reply), timing }
}

const textOf = (reply: ModelReply): string =>
  reply.content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('')

/** The answer as JSON text; what the model said instead, where it did not keep to the shape. */
function jsonOf(reply: ModelReply): string {
  const call = reply.toolCalls.find(({ name }) => name === ANSWER_TOOL)
  const text = call?.arguments ?? textOf(reply)
  const parsed = parseToolArguments(text)
  return parsed.ok ? JSON.stringify(parsed.value) : text
}
