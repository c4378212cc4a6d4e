import { expect, it } from 'vitest'
import { createLogger } from '#platform/logger.ts'
import { scriptedModel } from '../support/scripted-model.ts'
import { startTestServer } from '../support/test-server.ts'

it('a turn can be followed from the request to its run, its step and its lines in the log', async () => {
  const lines: Record<string, unknown>[] = []
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const server = await startTestServer({
    models: scriptedModel(() => ({ text: 'A secret answer.' })).registry,
    logger: createLogger({ level: 'info', format: 'json', destination }),
  })
  try {
    const client = await server.sdk()
    const agent = await client.agents.create({ name: 'Ada', model: 'openai/gpt-4o-mini' })
    await server.request(
      'POST',
      `/v1/agents/${agent.id}/messages`,
      { input: 'a secret' },
      { 'x-request-id': 'trace-me-1' },
    )
    const { items } = await client.steps.list({ agent_id: agent.id })
    expect(items).toMatchObject([{ request_id: 'trace-me-1', status: 'success' }])
    const ended = lines.find((line) => line.message === 'run ended')
    expect(ended).toMatchObject({
      level: 'info',
      logger: 'agent',
      request_id: 'trace-me-1',
      run_id: items[0]?.run_id,
      agent_id: agent.id,
      agent_name: 'Ada',
      conversation_id: expect.stringMatching(/^conv-/),
      stop_reason: 'end_turn',
      steps: 1,
      prompt_tokens: 100,
    })
    expect(ended).toHaveProperty('timestamp')
    expect(JSON.stringify(lines)).not.toContain('secret')
  } finally {
    await server.close()
  }
})
