import { describe, expect, test } from 'vitest'
import type { ContentPart, TranscriptMessage } from './model.ts'
import { type PromptOptions, toPrompt } from './to-prompt.ts'

const OPENAI: PromptOptions = { metadataKey: 'openai', callIds: 'plain' }
const ANTHROPIC: PromptOptions = { metadataKey: 'anthropic', callIds: 'plain', beginsWithUser: true }
const system: TranscriptMessage = { role: 'system', text: 'Be kind.' }
const user = (text: string): TranscriptMessage => ({ role: 'user', content: [{ type: 'text', text }] })
const said = (...content: ContentPart[]): TranscriptMessage => ({ role: 'assistant', content, toolCalls: [] })

/** One call and its result. */
function called(id: string): TranscriptMessage[] {
  return [
    { role: 'assistant', content: [], toolCalls: [{ tool_call_id: id, name: 'find', arguments: '{}' }] },
    { role: 'tool', results: [{ tool_call_id: id, name: 'find', status: 'success', text: 'found' }] },
  ]
}

function idsOf(messages: TranscriptMessage[], options: PromptOptions): { calls: string[]; results: string[] } {
  const ids = { calls: [] as string[], results: [] as string[] }
  for (const message of toPrompt(messages, options)) {
    if (message.role !== 'assistant' && message.role !== 'tool') continue
    for (const part of message.content) {
      if (part.type === 'tool-call') ids.calls.push(part.toolCallId)
      if (part.type === 'tool-result') ids.results.push(part.toolCallId)
    }
  }
  return ids
}

describe('what a provider would refuse is not sent', () => {
  test.each([
    ['no provider data', said({ type: 'reasoning', reasoning: 'Hm.' })],
    ['signed', said({ type: 'reasoning', reasoning: 'Hm.', signature: 's' })],
    ['encrypted', said({ type: 'redacted_reasoning', data: 'x', provider_metadata: { openai: { itemId: 'rs_1' } } })],
    [
      'blank text after it',
      said({ type: 'reasoning', reasoning: 'Hm.', signature: 's' }, { type: 'text', text: '\n' }),
    ],
  ])('a message of reasoning alone: %s', (_what, message) => {
    for (const options of [
      OPENAI,
      ANTHROPIC,
      { metadataKey: 'google' },
      { metadataKey: 'lab', wantsReasoning: true },
    ]) {
      const roles = toPrompt([system, user('a'), message, user('b')], options).map(({ role }) => role)
      expect(roles).toEqual(['system', 'user', 'user'])
    }
  })

  test('texts of white space', () => {
    const image = { type: 'image', source: { type: 'url', url: 'https://example.org/a.png' } } as const
    const blank = { type: 'text', text: ' \n' } as const
    const prompt = toPrompt(
      [
        { role: 'system', text: '' },
        user('  '),
        { role: 'user', content: [blank, image] },
        said({ type: 'text', text: '\n\n' }),
      ],
      ANTHROPIC,
    )
    expect(prompt).toMatchObject([
      { role: 'user', content: [{ type: 'text', text: '(no text)' }] },
      { role: 'user', content: [{ type: 'file' }] },
    ])
  })

  test("Gemini's empty text with a signature is kept", () => {
    const provider_metadata = { google: { thoughtSignature: 's' } }
    const prompt = toPrompt([user('a'), said({ type: 'text', text: '', provider_metadata })], { metadataKey: 'google' })
    expect(prompt[1]).toMatchObject({ content: [{ text: '', providerOptions: provider_metadata }] })
  })

  test('a transcript that begins with the model, where the user has to begin', () => {
    const messages = [system, said({ type: 'text', text: 'Welcome.' }), user('a')]
    expect(toPrompt(messages, ANTHROPIC).map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user'])
    expect(toPrompt(messages, OPENAI).map(({ role }) => role)).toEqual(['system', 'assistant', 'user'])
  })
})

describe('ids of calls', () => {
  const vllm = `chatcmpl-tool-${'0123456789abcdef'.repeat(2)}`
  const kimi = 'functions.find:0'

  test("another provider's are replaced in call and result, the same in every request", () => {
    const messages = [user('a'), ...called('call_1'), ...called(vllm), ...called(kimi)]
    const { calls, results } = idsOf(messages, ANTHROPIC)
    expect(calls).toEqual(results)
    expect(calls[0]).toBe('call_1')
    for (const id of calls) expect(id).toMatch(/^[a-zA-Z0-9_-]{1,40}$/)
    expect(idsOf(messages.slice(0, 5), ANTHROPIC).calls).toEqual(calls.slice(0, 2))
  })

  test('an id that comes again gets another name', () => {
    const { calls, results } = idsOf([user('a'), ...called('x'), ...called('x'), ...called('x')], ANTHROPIC)
    expect(new Set(calls).size).toBe(3)
    expect(results).toEqual(calls)
  })

  test('a server of one’s own gets its own ids, shortened where they are long', () => {
    const { calls, results } = idsOf([user('a'), ...called(kimi), ...called(kimi), ...called(vllm)], {
      metadataKey: 'lab',
    })
    expect(calls.slice(0, 2)).toEqual([kimi, kimi])
    expect(calls[2]).toHaveLength(40)
    expect(results).toEqual(calls)
  })

  test('Mistral gets nine letters and digits', () => {
    const { calls, results } = idsOf([user('a'), ...called('abcDEF123'), ...called('call_1')], {
      metadataKey: 'mistral',
      callIds: 'short',
    })
    expect(calls[0]).toBe('abcDEF123')
    expect(calls[1]).toMatch(/^[a-z0-9]{9}$/)
    expect(results).toEqual(calls)
  })
})
