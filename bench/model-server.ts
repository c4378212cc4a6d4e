/**
 * The server with the timed model in its own process instead of a provider over HTTP, so that the share of the wire to the provider
 * can be told from the rest. Reads the same variables as `perdure server`.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { loadConfig } from '#config/config.ts'
import { createContext } from '#context.ts'
import type { ModelEvent, ModelRequest } from '#llm/model.ts'
import { buildServer } from '#server.ts'
import { testModelRegistry } from '../test/support/test-models.ts'
import { markerOf, parseTask, tokenOf } from './replicas/task.ts'

function taskOf({ messages }: ModelRequest) {
  const last = messages.findLastIndex((message) => message.role === 'user')
  const message = messages[last]
  const text =
    message?.role === 'user' ? message.content.map((part) => (part.type === 'text' ? part.text : '')).join('') : ''
  return { task: parseTask(text), step: messages.slice(last).filter(({ role }) => role === 'tool').length }
}

async function* stream(request: ModelRequest): AsyncGenerator<ModelEvent> {
  const { task, step } = taskOf(request)
  const { key, tokens, tokenMs } = task
  let text = ''
  if (task.firstMs > 0) await sleep(task.firstMs)
  const startedAt = performance.now() + Math.random() * tokenMs
  for (let index = 0; index < tokens; index += 1) {
    const pause = startedAt + index * tokenMs - performance.now()
    if (tokenMs > 0 && pause > 0) await sleep(pause)
    const piece = tokenOf(task, step, index)
    text += piece
    yield { type: 'text-delta', text: piece }
  }
  const hasCall = step < task.steps - 1
  const call = {
    tool_call_id: `call_${key}_${step}`,
    name: 'memory_insert',
    arguments: JSON.stringify({ label: 'human', new_string: markerOf(key, step) }),
  }
  yield {
    type: 'reply',
    reply: {
      content: text === '' ? [] : [{ type: 'text', text }],
      toolCalls: hasCall ? [call] : [],
      finishReason: hasCall ? 'tool-calls' : 'stop',
      usage: {
        inputTokens: 100,
        outputTokens: 10,
        cachedInputTokens: null,
        cacheWriteTokens: null,
        reasoningTokens: null,
      },
    },
    timing: { firstTokenMs: 1, totalMs: 2, attempts: 1 },
  }
}

const port = Number(process.argv[process.argv.indexOf('--port') + 1])
const context = await createContext(loadConfig(), { models: testModelRegistry(stream) })
const app = await buildServer(context)
await app.listen({ host: '127.0.0.1', port })
process.once('SIGTERM', async () => {
  await app.close()
  await context[Symbol.asyncDispose]()
  process.exit(0)
})
