import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ModelError, type ModelRequest } from '#llm/model.ts'
import { lastUserText, scriptedModel } from '../support/scripted-model.ts'
import { startTestServer, type TestServer } from '../support/test-server.ts'

const ANSWER = 'The quick brown fox jumps over the lazy dog.'
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
const UNKNOWN = 'agent-01234567-89ab-4def-8123-456789abcdef'

let server: TestServer
let requests: ModelRequest[]
let openai: OpenAI
let baseUrl: string
let agent: { id: string; name: string }

beforeAll(async () => {
  const scripted = scriptedModel((request) => {
    const text = lastUserText(request)
    const isAfterTool = request.messages.at(-1)?.role === 'tool'
    if (text === 'tool' && !isAfterTool) {
      const call = { name: 'memory_insert', arguments: { label: 'human', new_string: 'x' } }
      return { text: 'I write it down.', toolCalls: [call] }
    }
    if (text === 'slow') return { text: ANSWER, delayMs: 500 }
    if (text === 'think') return { reasoning: 'Hm, well.', text: ANSWER, usage: { reasoningTokens: 4 } }
    if (text === 'long') return { text: 'Once upon', finishReason: 'length' }
    if (text === 'limit') return { error: new ModelError('rate_limit', 'OpenAI says: slow down') }
    return { text: ANSWER, usage: { cachedInputTokens: 60 } }
  })
  requests = scripted.requests
  server = await startTestServer({ models: scripted.registry })
  baseUrl = `${await server.baseUrl()}/v1/openai`
  openai = new OpenAI({ baseURL: baseUrl, apiKey: 'any', maxRetries: 0 })
  agent = await newAgent('Ada')
})
afterAll(() => server.close())

async function newAgent(name: string): Promise<{ id: string; name: string }> {
  const { body } = await server.request<{ id: string; name: string }>('POST', '/v1/agents/', {
    name,
    model: 'openai/gpt-4o-mini',
    memory_blocks: [{ label: 'human', value: '' }],
  })
  return body
}

/** Texts of the user in what the model read last. */
const userTexts = () =>
  (requests.at(-1)?.messages ?? []).flatMap((message) =>
    message.role === 'user' ? message.content.map((part) => (part.type === 'text' ? part.text : part.type)) : [],
  )

const say = (content: string, over: Partial<OpenAI.ChatCompletionCreateParamsNonStreaming> = {}) =>
  openai.chat.completions.create({ model: agent.id, messages: [{ role: 'user', content }], ...over })

async function textOf(stream: AsyncIterable<OpenAI.ChatCompletionChunk>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
  return text
}

describe('models', () => {
  it('are the agents, without the hidden ones; the list of language models stays what it was', async () => {
    const hidden = await server.request<{ id: string }>('POST', '/v1/agents/', {
      model: 'openai/gpt-4o-mini',
      hidden: true,
    })
    const ids: string[] = []
    for await (const model of openai.models.list()) {
      expect(model).toMatchObject({ object: 'model', owned_by: 'perdure', created: expect.any(Number) })
      ids.push(model.id)
    }
    expect(ids).toContain(agent.id)
    expect(ids).not.toContain(hidden.body.id)
    const letta = await server.request<{ handle: string }[]>('GET', '/v1/models/')
    expect(letta.body[0]).toMatchObject({ handle: 'openai/gpt-4o-mini', model_type: 'llm' })
  })

  it('one can be retrieved by id and by name', async () => {
    expect(await openai.models.retrieve(agent.id)).toMatchObject({ id: agent.id, name: 'Ada' })
    expect(await openai.models.retrieve('Ada')).toMatchObject({ id: agent.id })
    await expect(openai.models.retrieve(UNKNOWN)).rejects.toMatchObject({ status: 404, code: 'model_not_found' })
  })
})

describe('chat completions', () => {
  it('answer whole, with usage', async () => {
    const completion = await say('Hello')
    expect(completion).toMatchObject({
      object: 'chat.completion',
      model: agent.id,
      choices: [{ index: 0, message: { role: 'assistant', content: ANSWER, refusal: null }, finish_reason: 'stop' }],
      usage: {
        prompt_tokens: 100,
        completion_tokens: 10,
        total_tokens: 110,
        prompt_tokens_details: { cached_tokens: 60 },
      },
    })
    expect(completion.id).toMatch(/^chatcmpl-/)
  })

  it('stream pieces, then the reason, then usage where it is asked for', async () => {
    const stream = await openai.chat.completions.create({
      model: agent.id,
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
      stream_options: { include_usage: true },
    })
    const chunks: OpenAI.ChatCompletionChunk[] = []
    for await (const chunk of stream) chunks.push(chunk)
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: 'assistant', content: '' })
    const texts = chunks.flatMap((chunk) => chunk.choices[0]?.delta.content ?? [])
    expect(texts.join('')).toBe(ANSWER)
    expect(texts.length).toBeGreaterThan(3)
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 110 } })
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1)
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true)
    const plain = await openai.chat.completions.create({
      model: agent.id,
      messages: [{ role: 'user', content: 'Hello' }],
      stream: true,
    })
    for await (const chunk of plain) expect(chunk).not.toHaveProperty('usage')
  })

  it('the accumulating helper of the official client accepts the stream', async () => {
    const stream = openai.chat.completions.stream({ model: agent.id, messages: [{ role: 'user', content: 'Hello' }] })
    expect(await stream.finalContent()).toBe(ANSWER)
  })

  it('only what the user said since the last answer goes to the agent, which has the rest in its memory', async () => {
    const { id: model } = await newAgent('Memory')
    await say('first', { model })
    await say('', {
      model,
      messages: [
        { role: 'system', content: 'Be a pirate.' },
        { role: 'user', content: 'first' },
        { role: 'assistant', content: 'What another model said' },
        { role: 'user', content: 'second' },
        { role: 'user', content: [{ type: 'text', text: 'third' }] },
      ],
    })
    expect(userTexts()).toEqual(['first', 'second', 'third'])
    expect(JSON.stringify(requests.at(-1)?.messages)).not.toMatch(/pirate|another model/)
    const nothing = say('', {
      model,
      messages: [
        { role: 'user', content: 'x' },
        { role: 'assistant', content: 'y' },
      ],
    })
    await expect(nothing).rejects.toMatchObject({ status: 400, type: 'invalid_request_error' })
  })

  it('what an agent does with its tools is its own; texts before and after stand in paragraphs', async () => {
    const completion = await say('tool')
    expect(completion.choices[0]?.message.content).toBe(`I write it down.\n\n${ANSWER}`)
    expect(completion.choices[0]?.message.tool_calls).toBeUndefined()
    expect(completion.usage?.total_tokens).toBe(220)
    const stream = await openai.chat.completions.create({
      model: agent.id,
      messages: [{ role: 'user', content: 'tool' }],
      stream: true,
    })
    expect(await textOf(stream)).toBe(`I write it down.\n\n${ANSWER}`)
  })

  it('reasoning is told apart from the answer', async () => {
    const completion = await say('think')
    expect(completion.choices[0]?.message).toMatchObject({ content: ANSWER, reasoning_content: 'Hm, well.' })
    expect(completion.usage?.completion_tokens_details?.reasoning_tokens).toBe(4)
    const stream = await openai.chat.completions.create({
      model: agent.id,
      messages: [{ role: 'user', content: 'think' }],
      stream: true,
    })
    let reasoning = ''
    for await (const chunk of stream) {
      reasoning += (chunk.choices[0]?.delta as { reasoning_content?: string } | undefined)?.reasoning_content ?? ''
    }
    expect(reasoning).toBe('Hm, well.')
  })

  it('an answer that was cut off ends with length', async () => {
    expect((await say('long')).choices[0]).toMatchObject({ message: { content: 'Once upon' }, finish_reason: 'length' })
  })

  it('images in parts reach the model', async () => {
    const { id: model } = await newAgent('Eyes')
    const content: OpenAI.ChatCompletionContentPart[] = [
      { type: 'text', text: 'What is it?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}` } },
    ]
    await say('', { model, messages: [{ role: 'user', content }] })
    const parts = requests.at(-1)?.messages.findLast((message) => message.role === 'user')?.content
    expect(parts).toContainEqual(
      expect.objectContaining({
        type: 'image',
        source: expect.objectContaining({ media_type: 'image/png', data: PIXEL }),
      }),
    )
    for (const url of ['data:text/html;base64,AAAA', 'file:///etc/passwd', 'data:image/png,AAAA']) {
      const refused = say('', { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] })
      await expect(refused).rejects.toMatchObject({ status: 400 })
    }
    const audio: OpenAI.ChatCompletionContentPart = { type: 'input_audio', input_audio: { data: 'x', format: 'wav' } }
    await expect(say('', { messages: [{ role: 'user', content: [audio] }] })).rejects.toThrow(/input_audio/)
  })

  it('the name of an agent will do where no other has it', async () => {
    const unique = await newAgent('Grace')
    expect((await say('Hello', { model: 'Grace' })).model).toBe('Grace')
    const runs = await server.request<object[]>('GET', `/v1/runs/?agent_id=${unique.id}`)
    expect(runs.body).toMatchObject([{ metadata: { run_type: 'openai_chat_completion' } }])
    await newAgent('Grace')
    await expect(say('Hello', { model: 'Grace' })).rejects.toMatchObject({ status: 400, code: 'model_ambiguous' })
  })

  it('errors have the shape of OpenAI', async () => {
    await expect(say('x', { model: UNKNOWN })).rejects.toMatchObject({
      status: 404,
      code: 'model_not_found',
      type: 'invalid_request_error',
    })
    await expect(say('x', { n: 2 })).rejects.toMatchObject({ status: 422, type: 'invalid_request_error' })
    await expect(say('  ')).rejects.toMatchObject({ status: 422 })
    await expect(say('limit')).rejects.toMatchObject({ status: 429, type: 'rate_limit_error' })
    const stream = await openai.chat.completions.create({
      model: agent.id,
      messages: [{ role: 'user', content: 'limit' }],
      stream: true,
    })
    await expect(textOf(stream)).rejects.toThrow(/slow down/)
    const { body } = await server.request<{ error: object }>('POST', '/v1/chat/completions', { model: agent.id })
    expect(body).toEqual({
      error: { message: expect.stringContaining('messages'), type: 'invalid_request_error', param: null, code: null },
    })
  })

  it('a conflict has its words and its code', async () => {
    const asking = await newAgent('Asking')
    const url = `/v1/agents/${asking.id}/tools/approval/memory_insert?requires_approval=true`
    expect((await server.request('PATCH', url)).status).toBe(200)
    await say('tool', { model: asking.id })
    await expect(say('Hello', { model: asking.id })).rejects.toMatchObject({
      status: 409,
      code: 'PENDING_APPROVAL',
      message: expect.stringMatching(/^409 CONFLICT: .* waiting for approval/),
    })
  })

  it('an agent of another organisation is not there, whatever `user` says', async () => {
    const other = await server.addOrganization()
    const ask = (model: string, headers: Record<string, string>) =>
      server.request(
        'POST',
        '/v1/chat/completions',
        { model, messages: [{ role: 'user', content: 'x' }], user: 'user-00000000-0000-4000-8000-000000000000' },
        headers,
      )
    const foreign = await ask(agent.id, other.headers)
    const unknown = await ask(UNKNOWN, other.headers)
    expect(foreign.status).toBe(404)
    expect(JSON.stringify(foreign.body)).toBe(JSON.stringify(unknown.body).replaceAll(UNKNOWN, agent.id))
    expect((await ask('Ada', other.headers)).status).toBe(404)
    const list = await server.request<{ data: object[] }>('GET', '/v1/openai/models', undefined, other.headers)
    expect(list.body.data).toEqual([])
  })

  it('a client that goes away does not stop the run', async () => {
    const { id: model } = await newAgent('Steady')
    const stream = await openai.chat.completions.create({
      model,
      messages: [{ role: 'user', content: 'slow' }],
      stream: true,
    })
    for await (const _chunk of stream) break
    const runs = async () =>
      (await server.request<{ status: string }[]>('GET', `/v1/runs/?agent_id=${model}`)).body.map((run) => run.status)
    expect(await runs()).toEqual(['running'])
    await expect.poll(runs, { timeout: 5_000 }).toEqual(['completed'])
  })

  it('an Idempotency-Key makes a repetition the same answer', async () => {
    const options = { headers: { 'Idempotency-Key': 'once' } }
    const body = { model: agent.id, messages: [{ role: 'user' as const, content: 'Hello' }] }
    const first = await openai.chat.completions.create(body, options)
    const count = requests.length
    const second = await openai.chat.completions.create(body, options)
    expect(requests.length).toBe(count)
    expect([second.id, second.choices]).toEqual([first.id, first.choices])
  })

  it("V1's path does the same", async () => {
    const v1 = new OpenAI({ baseURL: `${await server.baseUrl()}/v1`, apiKey: 'any' })
    const messages = [{ role: 'user' as const, content: 'Hello' }]
    const completion = await v1.chat.completions.create({ model: agent.id, messages })
    expect(completion.choices[0]?.message.content).toBe(ANSWER)
    expect(await textOf(await v1.chat.completions.create({ model: agent.id, messages, stream: true }))).toBe(ANSWER)
    expect((await v1.responses.create({ model: agent.id, input: 'Hello' })).output_text).toBe(ANSWER)
  })
})

describe('responses', () => {
  it('answer whole', async () => {
    const response = await openai.responses.create({
      model: agent.id,
      input: 'tool',
      previous_response_id: 'resp_before',
      metadata: { from: 'a test' },
    })
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      previous_response_id: 'resp_before',
      metadata: { from: 'a test' },
      usage: { input_tokens: 200, output_tokens: 20, total_tokens: 220 },
    })
    expect(response.output.map((item) => item.type)).toEqual(['message', 'message'])
    expect(response.output_text).toBe(`I write it down.${ANSWER}`)
  })

  it('take items, of which those since the last answer count', async () => {
    const { id: model } = await newAgent('Items')
    await openai.responses.create({
      model,
      input: [
        { role: 'developer', content: 'Be a pirate.' },
        { role: 'user', content: 'before' },
        { role: 'assistant', content: 'said' },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'now' },
            { type: 'input_image', image_url: `data:image/png;base64,${PIXEL}`, detail: 'auto' },
          ],
        },
      ],
    })
    expect(userTexts()).toEqual(['now', 'image'])
  })

  it('stream the events of the official protocol, in order', async () => {
    const stream = await openai.responses.create({ model: agent.id, input: 'Hello', stream: true })
    const events: OpenAI.Responses.ResponseStreamEvent[] = []
    for await (const event of stream) events.push(event)
    const types = events.map((event) => event.type)
    expect(types.filter((type, index) => type !== types[index - 1])).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ])
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, index) => index))
    const last = events.at(-1)
    expect(last?.type === 'response.completed' && last.response).toMatchObject({ status: 'completed', model: agent.id })
  })

  it('the accumulating helper of the official client accepts the stream, with several messages too', async () => {
    const final = await openai.responses.stream({ model: agent.id, input: 'tool' }).finalResponse()
    expect(final.output).toHaveLength(2)
    expect(final.output_text).toBe(`I write it down.${ANSWER}`)
    expect(final.usage?.total_tokens).toBe(220)
  })

  it('say what cut an answer off, and what failed', async () => {
    const typesOf = async (input: string) => {
      const types: string[] = []
      for await (const event of await openai.responses.create({ model: agent.id, input, stream: true })) {
        types.push(event.type)
      }
      return types
    }
    expect((await typesOf('long')).at(-1)).toBe('response.incomplete')
    expect((await typesOf('limit')).at(-1)).toBe('response.failed')
    expect(await openai.responses.create({ model: agent.id, input: 'long' })).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
    })
    await expect(openai.responses.create({ model: agent.id, input: 'limit' })).rejects.toMatchObject({ status: 429 })
    await expect(openai.responses.create({ model: UNKNOWN, input: 'x' })).rejects.toMatchObject({ status: 404 })
  })
})

describe('what Open WebUI calls', () => {
  const headers = { authorization: 'Bearer sk-none', 'content-type': 'application/json' }

  it('the list of models, with the names that it shows', async () => {
    const response = await fetch(`${baseUrl}/models`, { headers })
    const { data } = (await response.json()) as { data: { id: string; name: string }[] }
    expect(response.status).toBe(200)
    expect(data.find((model) => model.id === agent.id)?.name).toBe('Ada')
  })

  it('a stream of chat completions with its whole history, ended by [DONE]', async () => {
    const response = await fetch(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: { ...headers, 'x-openwebui-user-name': 'Nils', 'x-openwebui-chat-id': 'c1' },
      body: JSON.stringify({
        stream: true,
        model: agent.id,
        messages: [
          { role: 'user', content: 'Hello' },
          { role: 'assistant', content: ANSWER },
          { role: 'user', content: 'And now?' },
        ],
        stream_options: { include_usage: true },
        temperature: 0.7,
        max_tokens: 100,
        stop: ['x'],
        tools: [],
      }),
    })
    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/)
    const frames = (await response.text()).split('\n\n').filter((frame) => frame.startsWith('data: '))
    expect(frames.at(-1)).toBe('data: [DONE]')
    const chunks = frames.slice(0, -1).map((frame) => JSON.parse(frame.slice('data: '.length)))
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('')).toBe(ANSWER)
    expect(userTexts().at(-1)).toBe('And now?')
  })

  it('a wrong key is told in the shape of OpenAI', async () => {
    const locked = await startTestServer({ config: { apiKey: 'the key' } })
    const { status, body } = await locked.request('GET', '/v1/openai/models', undefined, headers)
    expect([status, body.error]).toMatchObject([401, { type: 'authentication_error', code: 'invalid_api_key' }])
    await locked.close()
  })
})
