import { setTimeout as sleep } from 'node:timers/promises'

/** One event of a run's stream, without the pings. */
export interface StreamedEvent {
  seq: number
  /** Milliseconds of `performance.now()` when it came. */
  at: number
  data: Record<string, unknown>
}

export interface RunReader {
  runId: string
  events: StreamedEvent[]
  /** How often the stream was complete: `[DONE]`. */
  ends: number
  connections: number
  longestGapMs: number
}

interface ReadOptions {
  /** Where the next connection goes; may change while the run is read. */
  pickUrl: (connection: number) => string
  /** Bytes after which the client leaves this connection, in the middle of an event if it is so. */
  cutAfterBytes?: (connection: number) => number | undefined
  onEvent?: (event: StreamedEvent, reader: RunReader) => void
}

const RETRY_MS = 100
/** Nobody answers for so long: the run is lost. */
const LOST_MS = 60_000

/** Sends a message with tokens streamed and reads the run to its end, with as many connections as it takes. */
export async function readNewRun(agentId: string, input: string, options: ReadOptions): Promise<RunReader> {
  const reader: RunReader = { runId: '', events: [], ends: 0, connections: 0, longestGapMs: 0 }
  await connect(reader, `/v1/agents/${agentId}/messages/stream`, { input, stream_tokens: true }, options)
  return readOn(reader, options)
}

/** Reads a run from its beginning to its end. */
export async function readRun(runId: string, options: ReadOptions): Promise<RunReader> {
  return readOn({ runId, events: [], ends: 0, connections: 0, longestGapMs: 0 }, options)
}

async function readOn(reader: RunReader, options: ReadOptions): Promise<RunReader> {
  let readAt = performance.now()
  while (reader.ends === 0) {
    const before = reader.events.length
    const startingAfter = reader.events.at(-1)?.seq ?? 0
    await connect(reader, `/v1/runs/${reader.runId}/stream`, { starting_after: startingAfter }, options).catch(() =>
      sleep(RETRY_MS),
    )
    if (reader.events.length > before) readAt = performance.now()
    if (performance.now() - readAt > LOST_MS) throw new Error(`nothing of ${reader.runId} came for ${LOST_MS} ms`)
  }
  return reader
}

/** One connection. Returns when it has ended, however; throws when it did not begin. */
async function connect(reader: RunReader, path: string, body: object, options: ReadOptions): Promise<void> {
  const connection = reader.connections
  reader.connections += 1
  const cut = options.cutAfterBytes?.(connection)
  const leaving = new AbortController()
  const response = await fetch(options.pickUrl(connection) + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: leaving.signal,
  })
  if (response.status !== 200 || response.body === null) {
    throw new Error(`${response.status}: ${(await response.text()).slice(0, 300)}`)
  }
  const decoder = new TextDecoder()
  let rest = ''
  let bytes = 0
  try {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      const room = cut === undefined ? chunk.length : Math.max(0, cut - bytes)
      bytes += chunk.length
      const parts = (rest + decoder.decode(chunk.subarray(0, room), { stream: true })).split('\n\n')
      rest = parts.pop() ?? ''
      for (const part of parts) take(reader, part, options)
      if (cut !== undefined && bytes >= cut) break
    }
  } catch {
    // the server is gone: what came before counts
  } finally {
    leaving.abort()
  }
}

function take(reader: RunReader, text: string, { onEvent }: ReadOptions): void {
  const line = text.split('\n').find((each) => each.startsWith('data: '))
  if (line === undefined) return
  if (line === 'data: [DONE]') {
    reader.ends += 1
    return
  }
  const data = JSON.parse(line.slice(6)) as Record<string, unknown>
  reader.runId = String(data.run_id)
  if (data.message_type === 'ping') return
  const event = { seq: Number(data.seq_id), at: performance.now(), data }
  const last = reader.events.at(-1)
  if (last !== undefined) reader.longestGapMs = Math.max(reader.longestGapMs, event.at - last.at)
  reader.events.push(event)
  onEvent?.(event, reader)
}

/** What is wrong with the numbers and the end of a stream that was read to its end; undefined for a good one. */
export function findStreamProblem({ events, ends }: RunReader): string | undefined {
  const wrong = events.findIndex(({ seq }, index) => index > 0 && seq <= (events[index - 1]?.seq ?? 0))
  if (wrong !== -1) return `event ${events[wrong]?.seq} comes after ${events[wrong - 1]?.seq}`
  const stops = events.filter(({ data }) => data.message_type === 'stop_reason')
  if (stops.length !== 1 || ends !== 1) return `${stops.length} stop reasons and ${ends} ends`
  if (stops[0]?.data.stop_reason !== 'end_turn') return `ended with ${String(stops[0]?.data.stop_reason)}`
  return undefined
}

/** The text that the stream told of each message of the assistant, by the message's id. */
export function textsOf({ events }: RunReader): Map<string, string> {
  const texts = new Map<string, string>()
  for (const { data } of events) {
    if (data.message_type !== 'assistant_message') continue
    const id = String(data.id)
    texts.set(id, (texts.get(id) ?? '') + String(data.content))
  }
  return texts
}
