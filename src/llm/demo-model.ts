import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { type PlannedCall, planCalls } from './demo/plan-calls.ts'
import { lastMessage, readRequest } from './demo/read-request.ts'
import { answerAfterTools, answerDirectly } from './demo/write-answer.ts'
import { findSummary } from './demo/write-summary.ts'
import { estimateTokens } from './estimate-tokens.ts'
import {
  type Model,
  ModelError,
  type ModelEvent,
  type ModelInfo,
  type ModelRequest,
  type ToolCallPart,
  type ToolDefinition,
} from './model.ts'

const INFO: ModelInfo = {
  handle: 'perdure/demo',
  name: 'demo',
  displayName: 'Perdure demo (a script, not a language model)',
  providerName: 'perdure',
  // the wire knows a closed set of types; clients show the settings of this one
  providerType: 'openai',
  endpointType: 'openai',
  endpoint: null,
  contextWindow: 32_000,
  maxOutputTokens: 4_096,
  hasVision: false,
  hasReasoning: false,
}

/** Pause between two pieces of a reply: visible as streaming, too short to wait for. */
const PIECE_DELAY_MS = 10
const WORDS_PER_PIECE = 3
/** Long replies come in longer pieces, so that none takes more than about 0.6 s. */
const MAX_PIECES = 60
const ARGUMENT_CHARS_PER_PIECE = 40

interface DemoReply {
  text: string
  calls: PlannedCall[]
}

/** Calls tools at most once in a turn: a result, also a failure, is always answered in text. */
function decide(request: ModelRequest): DemoReply {
  const summary = findSummary(request)
  if (summary !== undefined) return { text: summary, calls: [] }
  const situation = readRequest(request)
  const last = lastMessage(request)
  const calls = last?.role === 'tool' ? [] : planCalls(situation, request)
  if (calls.length > 0) return { text: '', calls }
  const text = last?.role === 'tool' ? answerAfterTools(last.results, situation) : answerDirectly(situation)
  const hasSpoken = last?.role === 'tool' && last.results.some((result) => result.name === 'send_message')
  const canSpeak = request.toolChoice.type !== 'none' && request.tools.some((tool) => tool.name === 'send_message')
  // agents with send_message are heard through it only
  return canSpeak && !hasSpoken
    ? { text: '', calls: [{ name: 'send_message', args: { message: text } }] }
    : { text, calls: [] }
}

function toToolCalls(calls: readonly PlannedCall[], request: ModelRequest): ToolCallPart[] {
  const hash = createHash('sha256').update(JSON.stringify(request.messages)).digest('hex').slice(0, 16)
  const beats = new Set(request.tools.filter(hasHeartbeat).map((tool) => tool.name))
  return calls.map(({ name, args }, index) => ({
    tool_call_id: `call_${hash}_${index}`,
    name,
    // an answer follows what is called first
    arguments: JSON.stringify(beats.has(name) && name !== 'send_message' ? { ...args, request_heartbeat: true } : args),
  }))
}

const hasHeartbeat = ({ parameters }: ToolDefinition): boolean =>
  Object.hasOwn((parameters.properties as object | undefined) ?? {}, 'request_heartbeat')

function splitText(text: string): string[] {
  const words = text.match(/\s*\S+\s*$|\s*\S+/g) ?? []
  const size = Math.max(WORDS_PER_PIECE, Math.ceil(words.length / MAX_PIECES))
  return Array.from({ length: Math.ceil(words.length / size) }, (_, index) =>
    words.slice(index * size, (index + 1) * size).join(''),
  )
}

function splitArguments(text: string): string[] {
  const size = Math.max(ARGUMENT_CHARS_PER_PIECE, Math.ceil(text.length / MAX_PIECES))
  const characters = [...text]
  return Array.from({ length: Math.ceil(characters.length / size) }, (_, index) =>
    characters.slice(index * size, (index + 1) * size).join(''),
  )
}

function* toDeltas(text: string, toolCalls: readonly ToolCallPart[]): Generator<ModelEvent> {
  for (const piece of splitText(text)) yield { type: 'text-delta', text: piece }
  for (const call of toolCalls) {
    yield { type: 'tool-call-start', toolCallId: call.tool_call_id, name: call.name }
    for (const argumentsDelta of splitArguments(call.arguments)) {
      yield { type: 'tool-call-delta', toolCallId: call.tool_call_id, argumentsDelta }
    }
  }
}

async function* stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
  const { signal } = request
  const startedAt = performance.now()
  const { text, calls } = decide(request)
  const toolCalls = toToolCalls(calls, request)
  let firstTokenMs: number | undefined
  for (const delta of toDeltas(text, toolCalls)) {
    await pause(signal)
    firstTokenMs ??= performance.now() - startedAt
    yield delta
  }
  const totalMs = performance.now() - startedAt
  yield {
    type: 'reply',
    reply: {
      content: text === '' ? [] : [{ type: 'text', text }],
      toolCalls,
      finishReason: toolCalls.length > 0 ? 'tool-calls' : 'stop',
      usage: {
        inputTokens: estimateTokens(JSON.stringify(request.messages)) + estimateTokens(JSON.stringify(request.tools)),
        outputTokens:
          estimateTokens(text) + estimateTokens(toolCalls.map((call) => call.name + call.arguments).join('')),
        cachedInputTokens: null,
        cacheWriteTokens: null,
        reasoningTokens: null,
      },
    },
    timing: { firstTokenMs: firstTokenMs ?? totalMs, totalMs, attempts: 1 },
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  try {
    await sleep(PIECE_DELAY_MS, undefined, { signal })
  } catch (cause) {
    throw new ModelError('aborted', 'perdure/demo: the request was aborted.', { cause })
  }
}

/**
 * A scripted model for first steps and tests: no network, no key, the same answer to the same request. It understands a few
 * English sentences about its user, works on whatever memory tools the request offers, and says what it is. `stream` throws
 * ModelError of kind `aborted` only.
 */
export function createDemoModel(): Model {
  return { info: INFO, stream }
}
