import { randomBytes } from 'node:crypto'
import type { ToolCall, ToolLimits, ToolRunResult } from '#tools/sandbox/tool-runner.ts'
import { CallOutput, toSafe } from './call-output.ts'
import { BROKEN, CANCELLED, classifyEnd, type Failure, flooded, timeOut } from './classify-end.ts'
import type { DenoProcess } from './deno-process.ts'
import type { FetchBroker } from './fetch-broker.ts'
import { type Frame, parseFrame } from './parse-frame.ts'

/** Bytes beyond what the limits of the output allow for: frames, and what the code writes to standard output by itself. */
const SPARE_BYTES = 256 * 1024
/** A character of the output is at most six bytes in JSON. */
const BYTES_PER_CHAR = 6
const NETWORK_BYTES = 128 * 1024 * 1024
/** Python counts a character beyond the first plane as one. */
const MAX_UNITS_PER_CHAR = 2
const MAX_MESSAGE_CHARS = 10_000

/** Of a process that aborts: addresses and paths of the server, of use to nobody who wrote a tool. */
const LAST_WORDS =
  /\n*(?:#\n# Fatal|<--- Last few GCs --->|Pyodide has suffered a fatal error|==== C stack trace|=+\nDeno has panicked|thread '[^']*' panicked)[\s\S]*$/

type End = { status: 'success'; value: Extract<Frame, { kind: 'value' }> } | { status: 'error'; failure: Failure }

/** Sends a call to a process that is ready for it, and waits for its end. The process is gone when this returns, whatever happened. */
export async function runCall(
  process: DenoProcess,
  { call, source, broker }: { call: ToolCall; source: string; broker: FetchBroker },
  signal: AbortSignal,
): Promise<ToolRunResult> {
  const { limits } = call
  const output = new CallOutput(limits.outputChars)
  const token = randomBytes(16).toString('hex')
  const end = Promise.withResolvers<End>()
  const fail = (failure: Failure) => end.resolve({ status: 'error', failure })
  const requests = new AbortController()
  const askBroker = broker.open(call.network, requests.signal)

  process.maxBytes = byteLimit(limits, call.network.kind !== 'none')
  process.onLine = (line) => {
    const frame = parseFrame(line, token)
    if (frame.kind === 'output') output.add(frame.stream, frame.text)
    else if (frame.kind === 'cut') output.markCut(frame.stream)
    else if (frame.kind === 'value') end.resolve({ status: 'success', value: frame })
    else if (frame.kind === 'thrown') fail(frame.failure)
    else if (frame.kind === 'broken') fail(BROKEN)
    else void askBroker(frame.request).then((answer) => process.send(JSON.stringify(answer)))
  }
  void process.ended.then(async (how) => {
    if (process.flooded === undefined) await process.drained()
    fail(process.flooded === undefined ? classifyEnd(how, process.stderr, limits) : flooded(process.flooded))
  })
  const timer = setTimeout(() => fail(timeOut(limits)), limits.wallMs)
  const cancel = () => fail(CANCELLED)
  signal.addEventListener('abort', cancel, { once: true })
  if (signal.aborted) cancel()
  try {
    process.send(toMessage(call, source, token))
    const result = await end.promise
    return toResult(result, call, withRawErrors(output, process.stderr))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', cancel)
    process.onLine = () => undefined
    requests.abort()
    await process.kill()
  }
}

const byteLimit = ({ outputChars, resultChars }: ToolLimits, hasNetwork: boolean): number =>
  SPARE_BYTES + BYTES_PER_CHAR * (3 * outputChars + resultChars) + (hasNetwork ? NETWORK_BYTES : 0)

function toMessage(call: ToolCall, source: string, token: string): string {
  const { functionName, args, env, agentState, packages, network, limits } = call
  const hasNetwork = network.kind !== 'none'
  return JSON.stringify({ token, source, functionName, args, env, agentState, packages, hasNetwork, limits })
}

/** What Deno or the code wrote to standard error past our console, after what came in frames; without V8's own last words. */
function withRawErrors(output: CallOutput, stderr: string): CallOutput {
  output.add('stderr', stderr.replace(LAST_WORDS, ''))
  return output
}

function toResult(end: End, call: ToolCall, output: CallOutput): ToolRunResult {
  const { limits, agentState } = call
  if (end.status === 'error') {
    const { kind, type, message } = end.failure
    return {
      status: 'error',
      kind,
      type: toSafe(type),
      message: toSafe(message).slice(0, MAX_MESSAGE_CHARS),
      ...output.toLines(),
    }
  }
  const { text, textLength, blocks } = end.value
  const values = blocksOf(blocks, agentState)
  if (values === undefined) return toResult({ status: 'error', failure: BROKEN }, call, output)
  const whole = toSafe(text).slice(0, limits.resultChars)
  return { status: 'success', text: whole, textLength, blocks: values, ...output.toLines() }
}

/** Blocks that the agent has, with values that they can hold; undefined for others, which no call of ours tells of. */
function blocksOf(
  blocks: Record<string, string>,
  agentState: ToolCall['agentState'],
): Record<string, string> | undefined {
  const entries = Object.entries(blocks)
  const fits = ([label, value]: [string, string]) =>
    agentState?.blocks.some((block) => block.label === label && value.length <= block.limit * MAX_UNITS_PER_CHAR)
  return entries.every(fits) ? Object.fromEntries(entries.map(([label, value]) => [label, toSafe(value)])) : undefined
}
