import Type, { type Static } from 'typebox'
import { AnyObject, Nullable, StringEnum } from '#http/wire/nullable.ts'

const ROLES = ['system', 'developer', 'user', 'assistant', 'tool', 'function'] as const

/** Text, or parts of it and images. What an assistant or a tool said may be anything: it is not read. */
const Content = Nullable(Type.Union([Type.String(), Type.Array(AnyObject)]))

const IGNORED = 'Accepted and without effect: the agent has its own'

const ChatMessage = Type.Object({
  role: StringEnum(ROLES),
  content: Type.Optional(Content),
  name: Type.Optional(Nullable(Type.String())),
})

/** What OpenAI's chat completions take, as far as an agent has a use for it; other fields are accepted and ignored. */
export const ChatRequest = Type.Object({
  model: Type.String({ minLength: 1, description: 'Id of an agent, or its name where no other has it' }),
  messages: Type.Array(ChatMessage, {
    minItems: 1,
    description:
      'The conversation as the program knows it. What the user said since the last answer goes to the agent, which remembers the rest by itself; system messages are ignored',
  }),
  stream: Type.Optional(Nullable(Type.Boolean({ default: false }))),
  stream_options: Type.Optional(Nullable(Type.Object({ include_usage: Type.Optional(Nullable(Type.Boolean())) }))),
  n: Type.Optional(Nullable(Type.Literal(1))),
  user: Type.Optional(Nullable(Type.String({ description: 'Without effect: the credential says who calls' }))),
  tools: Type.Optional(Nullable(Type.Array(AnyObject, { description: IGNORED }))),
  temperature: Type.Optional(Nullable(Type.Number({ description: IGNORED }))),
  top_p: Type.Optional(Nullable(Type.Number({ description: IGNORED }))),
  max_tokens: Type.Optional(Nullable(Type.Integer({ description: IGNORED }))),
  max_completion_tokens: Type.Optional(Nullable(Type.Integer({ description: IGNORED }))),
  presence_penalty: Type.Optional(Nullable(Type.Number({ description: IGNORED }))),
  frequency_penalty: Type.Optional(Nullable(Type.Number({ description: IGNORED }))),
  stop: Type.Optional(Nullable(Type.Union([Type.String(), Type.Array(Type.String())], { description: IGNORED }))),
})
export type ChatRequest = Static<typeof ChatRequest>

const InputItem = Type.Object({
  type: Type.Optional(Nullable(Type.String())),
  role: Type.Optional(StringEnum(ROLES)),
  content: Type.Optional(Content),
})

/** What OpenAI's responses take, as far as an agent has a use for it; other fields are accepted and ignored. */
export const ResponsesRequest = Type.Object({
  model: Type.String({ minLength: 1, description: 'Id of an agent, or its name where no other has it' }),
  input: Type.Union([Type.String(), Type.Array(InputItem, { minItems: 1 })], {
    description: 'As with chat completions only what the user said since the last answer goes to the agent',
  }),
  stream: Type.Optional(Nullable(Type.Boolean({ default: false }))),
  previous_response_id: Type.Optional(
    Nullable(Type.String({ description: 'Accepted and given back: the agent remembers by itself' })),
  ),
  instructions: Type.Optional(Nullable(Type.String({ description: IGNORED }))),
  metadata: Type.Optional(Nullable(Type.Record(Type.String(), Type.String(), { description: 'Given back' }))),
  user: Type.Optional(Nullable(Type.String({ description: 'Without effect: the credential says who calls' }))),
  tools: Type.Optional(Nullable(Type.Array(AnyObject, { description: IGNORED }))),
  temperature: Type.Optional(Nullable(Type.Number({ description: IGNORED }))),
  top_p: Type.Optional(Nullable(Type.Number({ description: IGNORED }))),
  max_output_tokens: Type.Optional(Nullable(Type.Integer({ description: IGNORED }))),
})
export type ResponsesRequest = Static<typeof ResponsesRequest>
