import type { ToolCall, ToolFailureKind, ToolOutput, ToolRunResult } from '#tools/sandbox/tool-runner.ts'

/** What `run_code.py` cuts messages and traces to, with room for notes. */
const MAX_MESSAGE_CHARS = 10_000
const MAX_TYPE_CHARS = 200
const MAX_EXTRA_CHARS = 25_000
/** `\ud83d\ude00`: a character beyond the first plane in JSON of ASCII. */
const MAX_JSON_BYTES_PER_CHAR = 12
/** A character beyond the first plane is two of JavaScript's. */
const MAX_UNITS_PER_CHAR = 2
const KINDS: readonly ToolFailureKind[] = ['exception', 'memory', 'died']

export const NO_OUTPUT: ToolOutput = { stdout: [], stderr: [] }

/** The longest reply that is honest. */
export function maxReplyBytes({ limits, agentState }: ToolCall): number {
  const blocks = (agentState?.blocks ?? []).reduce((sum, block) => sum + block.limit + block.label.length, 0)
  const chars = limits.resultChars + 2 * limits.outputChars + 2 * MAX_EXTRA_CHARS + MAX_MESSAGE_CHARS + blocks
  return MAX_JSON_BYTES_PER_CHAR * chars
}

/** Undefined for what no call that is run by us replies: the code of the call can have written it. */
export function parseReply(reply: unknown, call: ToolCall): ToolRunResult | undefined {
  if (!isRecord(reply)) return undefined
  const output = parseOutput(reply, call)
  if (output === undefined) return undefined
  return isRecord(reply.error) ? parseError(reply.error, output) : parseValue(reply, call, output)
}

function parseOutput({ stdout, stderr }: Record<string, unknown>, { limits }: ToolCall): ToolOutput | undefined {
  const most = (limits.outputChars + MAX_EXTRA_CHARS) * MAX_UNITS_PER_CHAR
  if (!isText(stdout, most) || !isText(stderr, most)) return undefined
  return { stdout: toLines(stdout), stderr: toLines(stderr) }
}

function parseError(error: Record<string, unknown>, output: ToolOutput): ToolRunResult | undefined {
  const { kind, type, message } = error
  const known = KINDS.find((one) => one === kind)
  if (known === undefined || !isText(type, MAX_TYPE_CHARS * MAX_UNITS_PER_CHAR)) return undefined
  if (!isText(message, MAX_MESSAGE_CHARS * MAX_UNITS_PER_CHAR)) return undefined
  return { status: 'error', kind: known, type: toSafe(type), message: toSafe(message), ...output }
}

function parseValue(reply: Record<string, unknown>, call: ToolCall, output: ToolOutput): ToolRunResult | undefined {
  const { text, textLength } = reply
  if (!isText(text, call.limits.resultChars * MAX_UNITS_PER_CHAR)) return undefined
  if (typeof textLength !== 'number' || !Number.isSafeInteger(textLength) || textLength < 0) return undefined
  const blocks = parseBlocks(reply.blocks, call)
  return blocks && { status: 'success', text: toSafe(text), textLength, blocks, ...output }
}

/** Blocks that the agent has, with values that they can hold. */
function parseBlocks(blocks: unknown, { agentState }: ToolCall): Record<string, string> | undefined {
  if (!isRecord(blocks)) return undefined
  const out: [string, string][] = []
  for (const [label, value] of Object.entries(blocks)) {
    const block = agentState?.blocks.find((one) => one.label === label)
    if (block === undefined || !isText(value, block.limit * MAX_UNITS_PER_CHAR)) return undefined
    out.push([label, toSafe(value)])
  }
  return Object.fromEntries(out)
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const isText = (value: unknown, most: number): value is string => typeof value === 'string' && value.length <= most

/** The database takes neither. */
const toSafe = (text: string): string => text.toWellFormed().replaceAll('\0', '\ufffd')

function toLines(text: string): string[] {
  if (text === '') return []
  return toSafe(text).replace(/\n$/, '').split('\n')
}
