import { describe, expect, it } from 'vitest'
import { companionInput } from '#agent/groups/companion-input.ts'
import type { MessageRow } from '#store/messages/message-row.ts'
import { createDemoModel } from './demo-model.ts'
import type { ModelEvent, ModelReply, ModelRequest, ToolDefinition, TranscriptMessage } from './model.ts'

const model = createDemoModel()
const tool = (name: string): ToolDefinition => ({
  name,
  description: name,
  parameters: { type: 'object', properties: {} },
})
const MEMORY_TOOLS = ['conversation_search', 'memory_insert', 'memory_replace']

function system(
  blocks: Record<string, string>,
  options: { isNumbered?: boolean; isReadOnly?: boolean } = {},
): TranscriptMessage {
  const rendered = Object.entries(blocks).map(([label, value]) => {
    const shown = options.isNumbered
      ? value
          .split('\n')
          .map((line, index) => `${index + 1}→ ${line}`)
          .join('\n')
      : value
    const warning = options.isNumbered ? '<warning># NOTE: Line numbers shown below</warning>\n' : ''
    const readOnly = options.isReadOnly ? '- read_only=true\n' : ''
    return `<${label}>\n<description>\nabout\n</description>\n<metadata>\n${readOnly}- chars_current=1\n- chars_limit=5000\n</metadata>\n${warning}<value>\n${shown}\n</value>\n</${label}>`
  })
  return {
    role: 'system',
    text: `Be good.\n\n<memory_blocks>\nThe following memory blocks are currently engaged in your core memory unit:\n\n${rendered.join('\n\n')}\n\n</memory_blocks>\n\n<memory_metadata>\n- AGENT_ID: agent-1\n</memory_metadata>`,
  }
}

const user = (text: string): TranscriptMessage => ({ role: 'user', content: [{ type: 'text', text }] })
const EMPTY = { human: '', persona: 'I am Ada.' }

async function ask(messages: TranscriptMessage[], tools: string[] = MEMORY_TOOLS, over: Partial<ModelRequest> = {}) {
  const events: ModelEvent[] = []
  const request: ModelRequest = {
    messages,
    tools: tools.map(tool),
    toolChoice: { type: 'auto' },
    settings: {},
    signal: new AbortController().signal,
    ...over,
  }
  for await (const event of model.stream(request)) events.push(event)
  const last = events.at(-1)
  if (last?.type !== 'reply') throw new Error('no reply')
  return { events, reply: last.reply, text: textOf(last.reply), calls: callsOf(last.reply) }
}

const textOf = (reply: ModelReply): string =>
  reply.content.map((part) => (part.type === 'text' ? part.text : '')).join('')
const callsOf = (reply: ModelReply) =>
  reply.toolCalls.map((call) => ({ name: call.name, args: JSON.parse(call.arguments) as Record<string, unknown> }))

/** The transcript after a reply's calls have run. */
function withResults(
  messages: TranscriptMessage[],
  reply: ModelReply,
  results: { status: 'success' | 'error'; message: string }[],
) {
  return [
    ...messages,
    { role: 'assistant' as const, content: reply.content, toolCalls: reply.toolCalls },
    {
      role: 'tool' as const,
      results: reply.toolCalls.map((call, index) => ({
        tool_call_id: call.tool_call_id,
        name: call.name,
        status: results[index]?.status ?? 'success',
        text: JSON.stringify({ status: 'OK', message: results[index]?.message ?? 'None', time: 'now' }),
      })),
    },
  ]
}

describe('perdure/demo', () => {
  it.each([
    ['My name is Nils and I sail.', "The user's name is Nils.\nThe user sails."],
    ["Hi! I'm Nils, and I live in Oslo.", "The user's name is Nils.\nThe user lives in Oslo."],
    ['I am Norwegian', 'The user is Norwegian.'],
    ['Call me Bo', "The user's name is Bo."],
    ['I like cats and dogs', 'The user likes cats and dogs.'],
    ['I live in Oslo and work as a baker', 'The user lives in Oslo.\nThe user works as a baker.'],
    ['Please remember that my boat is called Rex!', "The user's boat is called Rex."],
    ['remember that the harbour closes at six', 'The harbour closes at six.'],
    ["I don't eat fish.", 'The user does not eat fish.'],
  ])('writes down what “%s” says', async (said, stored) => {
    const { calls, reply } = await ask([system(EMPTY), user(said)])
    expect(calls).toEqual([{ name: 'memory_insert', args: { label: 'human', new_string: stored } }])
    expect(reply.finishReason).toBe('tool-calls')
  })

  it('answers in text after the result, whatever it is, and never calls again', async () => {
    const messages = [system(EMPTY), user('My name is Nils and I sail.')]
    const { reply } = await ask(messages)
    const stored = await ask(withResults(messages, reply, [{ status: 'success', message: 'done' }]))
    expect(stored.calls).toEqual([])
    expect(stored.text).toBe('Nice to meet you, Nils. I have written down: your name is Nils; you sail.')
    const failed = await ask(withResults(messages, reply, [{ status: 'error', message: 'the block is full' }]))
    expect(failed.calls).toEqual([])
    expect(failed.text).toContain('memory_insert failed: the block is full')
  })

  it.each([
    ['core_memory_append', { label: 'human', content: 'The user sails.' }],
    ['memory_rethink', { label: 'human', new_memory: 'Old.\nThe user sails.' }],
    ['memory_replace', { label: 'human', old_string: 'Old.', new_string: 'Old.\nThe user sails.' }],
    ['core_memory_replace', { label: 'human', old_content: 'Old.', new_content: 'Old.\nThe user sails.' }],
    ['archival_memory_insert', { content: 'The user sails.' }],
    ['memory', { command: 'insert', path: '/memories/human', insert_line: 1, insert_text: 'The user sails.' }],
  ])('uses %s where it is the only tool', async (name, args) => {
    const { calls } = await ask([system({ human: 'Old.' }), user('I sail.')], [name])
    expect(calls).toEqual([{ name, args }])
  })

  it('does not store a fact twice', async () => {
    const memory = { human: "The user's name is Nils.\nThe user sails." }
    for (const isNumbered of [false, true]) {
      const { calls, text } = await ask([system(memory, { isNumbered }), user('my name is Nils, and I sail!')])
      expect(calls).toEqual([])
      expect(text).toBe('I know that already: Your name is Nils. You sail.')
    }
  })

  it('writes down what the user said to the agent of a sleeptime agent, and nothing that was answered', async () => {
    const at = (second: number) => new Date(Date.UTC(2026, 11, 1, 9, 0, second))
    const said = (role: 'user' | 'assistant', text: string, second: number) =>
      ({ role, content: [{ type: 'text', text }], created_at: at(second) }) as MessageRow
    const told = companionInput([
      said('user', 'My name is Ada and I paint.', 1),
      said('assistant', 'I understand: your name is Ada.\nBut I have no tool to write it into my memory.', 2),
      said('user', 'My cat is called Minka.\nI live in Oslo.', 3),
    ])
    const text = told?.content.map((part) => (part.type === 'text' ? part.text : '')).join('') ?? ''
    const { calls } = await ask([system({ human: '' }), user(text)])
    const stored = "The user's name is Ada.\nThe user paints.\nThe user's cat is called Minka.\nThe user lives in Oslo."
    expect(calls).toEqual([{ name: 'memory_insert', args: { label: 'human', new_string: stored } }])
  })

  it('replaces a name that has changed', async () => {
    const { calls } = await ask([
      system({ human: "The user's name is Ada.\nThe user sails." }),
      user('My name is Nils.'),
    ])
    expect(calls).toEqual([
      {
        name: 'memory_replace',
        args: { label: 'human', old_string: "The user's name is Ada.", new_string: "The user's name is Nils." },
      },
    ])
  })

  it.each([
    ['What do I do?', 'You sail. You work as a baker.'],
    ['What is my name?', 'Your name is Nils.'],
    ['do you know my name', 'Your name is Nils.'],
    [
      'What do you know about me?',
      'This is what I know about you: Your name is Nils. You sail. You like tea. You work as a baker.',
    ],
    [
      'Tell me about myself.',
      'This is what I know about you: Your name is Nils. You sail. You like tea. You work as a baker.',
    ],
    ['What do I like?', 'You like tea.'],
    ['Where do I work?', 'You work as a baker.'],
  ])('answers “%s” from the memory block', async (question, answer) => {
    const human = "The user's name is Nils.\nThe user sails.\nThe user likes tea.\nThe user works as a baker."
    for (const isNumbered of [false, true]) {
      const { text, calls } = await ask([system({ human }, { isNumbered }), user(question)])
      expect(calls).toEqual([])
      expect(text).toBe(answer)
    }
  })

  it('knows what was said in the transcript, and reads enveloped messages', async () => {
    const said = JSON.stringify({ type: 'user_message', message: 'My name is Nils and I sail.', time: 'now' })
    const { text } = await ask([system({ persona: 'I am Ada.' }), user(said), user('What do I do?')], [])
    expect(text).toBe('You sail.')
  })

  it('answers a question in the same message after storing', async () => {
    const messages = [system(EMPTY), user('My name is Nils. What is my name?')]
    const { reply, calls } = await ask(messages)
    expect(calls).toHaveLength(1)
    const { text } = await ask(withResults(messages, reply, []))
    expect(text).toContain('Your name is Nils.')
  })

  it.each([
    ['Search for boats', 'conversation_search', 'boats'],
    ['Can you search our conversation for "red boats", please?', 'conversation_search', 'red boats'],
    ['Did we talk about boats?', 'conversation_search', 'boats'],
    ['search archival memory for boats', 'archival_memory_search', 'boats'],
  ])('searches when told: %s', async (said, name, query) => {
    const { calls } = await ask([system(EMPTY), user(said)], ['conversation_search', 'archival_memory_search'])
    expect(calls).toEqual([{ name, args: { query } }])
  })

  it('searches archival memory where there is nothing else, and tells what it found', async () => {
    const messages = [system(EMPTY), user('search for boats')]
    const { reply, calls } = await ask(messages, ['archival_memory_search'])
    expect(calls).toEqual([{ name: 'archival_memory_search', args: { query: 'boats' } }])
    const hits = JSON.stringify([{ id: 'passage-1', timestamp: '2026-01-01', content: 'Boats are red.', tags: [] }])
    const found = await ask(withResults(messages, reply, [{ status: 'success', message: hits }]))
    expect(found.text).toBe('I found this about “boats”:\n- 2026-01-01: Boats are red.')
    const nothing = await ask(withResults(messages, reply, [{ status: 'success', message: '[]' }]))
    expect(nothing.text).toBe('I found nothing about “boats”.')
  })

  it('stores and searches in one reply, or one after the other where calls may not be parallel', async () => {
    const messages = [system(EMPTY), user('I sail. Search for boats.')]
    expect((await ask(messages)).calls.map((call) => call.name)).toEqual(['memory_insert', 'conversation_search'])
    const { calls } = await ask(messages, MEMORY_TOOLS, { settings: { parallel_tool_calls: false } })
    expect(calls.map((call) => call.name)).toEqual(['memory_insert'])
  })

  it.each(['hello', 'Good morning!', 'asdf qwer', 'Write me a poem', '', 'Who are you?', 'help'])(
    'says plainly what it is: “%s”',
    async (said) => {
      const { text } = await ask([system(EMPTY), user(said)])
      expect(text).toMatch(/demonstration and not a language model/)
      expect(text).toMatch(/OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or OLLAMA_BASE_URL/)
    },
  )

  it('answers without memory, without tools, without a system message and with a read-only block', async () => {
    expect((await ask([user('My name is Nils.')], [])).text).toContain('I have no memory block about you')
    expect((await ask([system({}), user('My name is Nils.')])).text).toContain('I have no memory block about you')
    expect((await ask([system(EMPTY), user('I sail')], [])).text).toContain('I have no tool')
    expect((await ask([system(EMPTY, { isReadOnly: true }), user('I sail')])).text).toContain('read-only')
    expect((await ask([system(EMPTY), user('search for boats')], [])).text).toBe(
      'I have no tool to search for “boats”.',
    )
    expect((await ask([])).text).toContain('Hello!')
  })

  it('obeys the tool choice, and speaks by send_message where there is one', async () => {
    const messages = [system(EMPTY), user('I sail.')]
    expect((await ask(messages, MEMORY_TOOLS, { toolChoice: { type: 'none' } })).calls).toEqual([])
    const sent = await ask([system(EMPTY), user('hello')], ['send_message'])
    expect(sent.calls[0]).toMatchObject({ name: 'send_message', args: { message: expect.stringContaining('Hello') } })
    expect((await ask(withResults(messages, sent.reply, []), ['send_message'])).calls).toEqual([])
  })

  it('streams exactly its reply, the same each time, and counts tokens', async () => {
    for (const said of ['hello', 'My name is Nils and I sail.']) {
      const first = await ask([system(EMPTY), user(said)])
      const second = await ask([system(EMPTY), user(said)])
      expect(second.reply).toEqual(first.reply)
      const streamed = first.events.map((event) => (event.type === 'text-delta' ? event.text : '')).join('')
      expect(streamed).toBe(first.text)
      const args = first.events.map((event) => (event.type === 'tool-call-delta' ? event.argumentsDelta : '')).join('')
      expect(args).toBe(first.reply.toolCalls.map((call) => call.arguments).join(''))
      expect(first.reply.usage.inputTokens).toBeGreaterThan(50)
      expect(first.reply.usage.outputTokens).toBeGreaterThan(5)
    }
  })

  it('stops at once when it is aborted', async () => {
    const controller = new AbortController()
    const request = {
      messages: [user('hello')],
      tools: [],
      toolChoice: { type: 'auto' as const },
      settings: {},
      signal: controller.signal,
    }
    const run = async () => {
      for await (const event of model.stream(request)) if (event.type === 'text-delta') controller.abort()
    }
    await expect(run()).rejects.toMatchObject({ name: 'ModelError', kind: 'aborted' })
  })
})
