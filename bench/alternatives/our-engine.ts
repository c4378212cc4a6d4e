import type { ModelRequest } from '#llm/model.ts'
import { createTestEngine, newRun } from '../../test/support/test-agent.ts'
import { testModelRegistry } from '../../test/support/test-models.ts'
import type { Candidate, CandidateOptions } from './candidate.ts'

const usage = {
  inputTokens: 100,
  outputTokens: 10,
  cachedInputTokens: null,
  cacheWriteTokens: null,
  reasoningTokens: null,
}

/** Our run engine with the whole loop around it: prompts, transcripts, the memory tool. It does more than the other candidates. */
export async function openOurEngine({ db, processName, model }: CandidateOptions): Promise<Candidate> {
  const registry = testModelRegistry(async function* (request: ModelRequest) {
    await model()
    const isSecond = request.messages.at(-1)?.role === 'tool'
    yield {
      type: 'reply',
      reply: {
        content: isSecond ? [{ type: 'text', text: 'Instant answer.' }] : [],
        toolCalls: isSecond
          ? []
          : [{ tool_call_id: 'call', name: 'memory_insert', arguments: '{"label":"human","new_string":"Likes tea."}' }],
        finishReason: isSecond ? 'stop' : 'tool-calls',
        usage,
      },
      timing: { firstTokenMs: 1, totalMs: 1, attempts: 1 },
    }
  })
  const engine = createTestEngine(db, registry, processName)
  await engine.open()
  return {
    async turn(agentId, runId) {
      const ended = Promise.withResolvers<void>()
      const started = await engine.start({ ...newRun(agentId, 'Remember that I like tea.'), runId }, (event) => {
        if (event.type !== 'run-end') return
        if (event.stopReason === 'end_turn' && event.stepCount === 2) ended.resolve()
        else ended.reject(new Error(`the run ended with ${event.stopReason} after ${event.stepCount} steps`))
      })
      if (started === undefined) throw new Error('no such agent')
      await ended.promise
    },
    [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose](),
  }
}
