import type { ContentPart, TextPart, ToolCallPart, ToolDefinition } from '#llm/model.ts'
import { parseToolArguments } from '#llm/parse-tool-arguments.ts'
import type { Engine } from './engines.ts'

/** Parameter in which a model without reasoning of its own thinks aloud before it acts. */
export const THINKING = 'thinking'
/** Parameter by which the model says that it wants to go on after the call. */
export const REQUEST_HEARTBEAT = 'request_heartbeat'

const THINKING_SCHEMA = {
  type: 'string',
  description: 'Your private thoughts: what you see, what you are about to do, and why. Nobody else reads them.',
}
const HEARTBEAT_SCHEMA = {
  type: 'boolean',
  description: 'True to get control back after this call and go on with another one; false when you are done for now.',
}

interface ObjectSchema {
  properties?: Record<string, unknown>
  required?: string[]
}

const hasParameter = (tool: ToolDefinition, name: string): boolean =>
  Object.hasOwn((tool.parameters as ObjectSchema).properties ?? {}, name)

/** Parameters that are ours and no tool's own; they are taken out again before a tool sees its arguments. */
export interface Additions {
  thinking: ReadonlySet<string>
  heartbeat: ReadonlySet<string>
}

/** The tools with the parameters that the engine adds: thinking first, the heartbeat last, which no terminal tool has. */
export function addParameters(
  tools: readonly ToolDefinition[],
  engine: Engine,
  options: { thinksInCalls: boolean; isTerminal: (name: string) => boolean },
): { tools: ToolDefinition[]; additions: Additions } {
  const own = (name: string) => tools.filter((tool) => !hasParameter(tool, name))
  const thinking = new Set(options.thinksInCalls ? own(THINKING).map((tool) => tool.name) : [])
  const heartbeat = new Set(engine.hasHeartbeats ? own(REQUEST_HEARTBEAT).map((tool) => tool.name) : [])
  return {
    additions: { thinking, heartbeat },
    tools: tools.map((tool) => {
      const { properties = {}, required = [] } = tool.parameters as ObjectSchema
      const thinks = thinking.has(tool.name)
      const beats = heartbeat.has(tool.name) && !options.isTerminal(tool.name)
      if (!thinks && !beats) return tool
      return {
        ...tool,
        parameters: {
          ...tool.parameters,
          properties: {
            ...(thinks ? { [THINKING]: THINKING_SCHEMA } : {}),
            ...properties,
            ...(beats ? { [REQUEST_HEARTBEAT]: HEARTBEAT_SCHEMA } : {}),
          },
          required: [...(thinks ? [THINKING] : []), ...required, ...(beats ? [REQUEST_HEARTBEAT] : [])],
        },
      }
    }),
  }
}

/** A text that was not meant for the user. */
export const toThought = (text: string): TextPart => ({ type: 'text', text, is_thought: true })

/** Takes the thoughts out of calls: they become thoughts of the message, and the calls are as the tools want them. */
export function takeThoughts(
  calls: readonly ToolCallPart[],
  thinking: ReadonlySet<string>,
): { thoughts: TextPart[]; calls: ToolCallPart[] } {
  const thoughts: TextPart[] = []
  const taken = calls.map((call) => {
    if (!thinking.has(call.name)) return call
    const args = parseToolArguments(call.arguments)
    if (!args.ok || !Object.hasOwn(args.value, THINKING)) return call
    const { [THINKING]: thought, ...rest } = args.value
    const text = typeof thought === 'string' ? thought : JSON.stringify(thought)
    if (text.trim() !== '') thoughts.push(toThought(text))
    return { ...call, arguments: JSON.stringify(rest) }
  })
  return { thoughts, calls: taken }
}

/** The reverse, for the transcript: the model reads its thoughts where it is to write the next ones. */
export function putThoughtsBack(
  content: readonly ContentPart[],
  calls: readonly ToolCallPart[],
): { content: ContentPart[]; calls: ToolCallPart[] } {
  const isThought = (part: ContentPart): part is TextPart => part.type === 'text' && part.is_thought === true
  const thought = content
    .filter(isThought)
    .map((part) => part.text)
    .join('\n')
  const [first, ...others] = calls
  const args = first === undefined ? undefined : parseToolArguments(first.arguments)
  if (thought === '' || first === undefined || args?.ok !== true) return { content: [...content], calls: [...calls] }
  const dressed = { ...first, arguments: JSON.stringify({ [THINKING]: thought, ...args.value }) }
  return { content: content.filter((part) => !isThought(part)), calls: [dressed, ...others] }
}

/** True where the model wants control back. Some write the word, not the value. */
export function asksForHeartbeat(argumentsText: string): boolean {
  const args = parseToolArguments(argumentsText)
  const value = args.ok ? args.value[REQUEST_HEARTBEAT] : undefined
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true')
}

/** The arguments without what is ours. */
export function withoutAdditions(
  name: string,
  args: Record<string, unknown>,
  { thinking, heartbeat }: Additions,
): Record<string, unknown> {
  const { [THINKING]: thought, [REQUEST_HEARTBEAT]: beat, ...own } = args
  return {
    ...own,
    ...(thought === undefined || thinking.has(name) ? {} : { [THINKING]: thought }),
    ...(beat === undefined || heartbeat.has(name) ? {} : { [REQUEST_HEARTBEAT]: beat }),
  }
}
