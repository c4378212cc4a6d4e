import { setTimeout as sleep } from 'node:timers/promises'
import { ModelError, type ModelErrorKind, type ModelEvent, type ModelRequest } from '#llm/model.ts'
import { lastUserText, refuseInvalidTranscript } from '../support/scripted-model.ts'
import type { Chance } from './chance.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { ModelCall, World } from './world.ts'

const FAILURES: ModelErrorKind[] = ['rate_limit', 'timeout', 'server_error', 'authentication']
const MAX_ROUNDS = 2
/** Above what rounding or another count could be taken for. */
export const FIRST_CALL = 1000

/**
 * A model that calls tools in some rounds and then answers, piece by piece; at each of its events it may wait, fail or see the
 * process die. Its answers say by their input tokens which call they are of, and what its tools write says it too.
 */
export async function* simulatedStream(
  world: World,
  process: SimulatedProcess,
  request: ModelRequest,
): AsyncGenerator<ModelEvent> {
  const text = /<(s\d+c\d+m\d+t\d+)>/.exec(lastUserText(request))?.[1] ?? 'nothing'
  const number = FIRST_CALL + world.modelCalls.size
  const attempt = [...world.modelCalls.values()].filter((call) => call.text === text).length
  const call: ModelCall = { process, text, signal: request.signal, outcome: 'unfinished' }
  world.modelCalls.set(number, call)
  world.counts.modelCalls += 1
  const chance = world.chance.fork(`model ${text} ${attempt}`)
  try {
    refuseInvalidTranscript(request)
  } catch (error) {
    world.violations.push(String(error))
  }
  const step = async () => {
    await process.step(chance)
    if (chance.happens(0.05)) await sleep(5 + chance.below(20), undefined, { signal: request.signal }).catch(() => {})
    // a provider notices after a moment that nobody listens
    if (request.signal.aborted && chance.happens(0.8)) throw new ModelError('aborted', 'aborted')
    if (!world.isCalm && chance.happens(0.004)) {
      world.counts.modelErrors += 1
      call.outcome = chance.happens(0.2) ? 'broken' : 'failed'
      if (call.outcome === 'broken') throw new TypeError('x is not a function')
      throw new ModelError(chance.pick(FAILURES), 'the provider has had enough')
    }
  }
  const rounds = world.chance.fork(`rounds ${text}`).below(MAX_ROUNDS + 1)
  const asked = request.messages.findLastIndex((message) => message.role === 'user')
  const roundsDone = request.messages.slice(asked).filter((message) => message.role === 'tool').length
  const toolCalls = roundsDone < rounds ? chooseCalls(chance, number) : []
  const words = chance.happens(toolCalls.length > 0 ? 0.3 : 0.97)
    ? Array.from({ length: 1 + chance.below(5) }, (_, index) => `w${number}.${index} `)
    : []
  await step()
  for (const word of words) {
    yield { type: 'text-delta', text: word }
    await step()
  }
  for (const toolCall of toolCalls) {
    yield { type: 'tool-call-start', toolCallId: toolCall.tool_call_id, name: toolCall.name }
    await step()
    yield { type: 'tool-call-delta', toolCallId: toolCall.tool_call_id, argumentsDelta: toolCall.arguments }
    await step()
  }
  call.outcome = 'answered'
  const isCut = chance.happens(0.01)
  yield {
    type: 'reply',
    reply: {
      content: words.length === 0 ? [] : [{ type: 'text', text: words.join('') }],
      toolCalls,
      finishReason: isCut ? 'length' : toolCalls.length > 0 ? 'tool-calls' : 'stop',
      usage: {
        inputTokens: number,
        outputTokens: 1,
        cachedInputTokens: null,
        cacheWriteTokens: null,
        reasoningTokens: null,
      },
    },
    timing: { firstTokenMs: 1, totalMs: 2, attempts: 1 },
  }
}

function chooseCalls(chance: Chance, number: number) {
  return Array.from({ length: 1 + chance.below(3) }, (_, position) => {
    const mark = `<${number}.${position}>`
    const dice = chance.below(100)
    const [name, args] =
      dice < 60
        ? ['memory_insert', { label: 'human', new_string: mark }]
        : dice < 90
          ? ['archival_memory_insert', { content: mark }]
          : dice < 95
            ? ['conversation_search', { query: 'w' }]
            : ['no_such_tool', {}]
    // some servers number the calls of each reply anew
    const tool_call_id = chance.happens(0.2) ? 'call_0' : `call_${number}_${position}`
    return { tool_call_id, name: name as string, arguments: JSON.stringify(args) }
  })
}
