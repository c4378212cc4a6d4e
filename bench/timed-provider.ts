/**
 * The model provider of the replica benchmark, in a process of its own: OpenAI's streamed chat completions, paced as the task in the
 * user's message says. It costs as little as it can (bodies are searched, not parsed) and keeps a book of what it was asked,
 * `GET /book`. Prints one JSON line `{"url": …}` when it listens.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ProviderBook } from './replicas/provider.ts'
import { markerOf, parseTask, type Task, tokenOf } from './replicas/task.ts'

const HEAD =
  '{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"gpt-4o-mini","choices":'
const delta = (fields: string): string => `data: ${HEAD}[{"index":0,"delta":${fields},"finish_reason":null}]}\n\n`
const ROLE = delta('{"role":"assistant","content":""}')
const TEXT_BEFORE = `data: ${HEAD}[{"index":0,"delta":{"content":"`
const TEXT_AFTER = '"},"finish_reason":null}]}\n\n'
const ending = (reason: string): string =>
  `data: ${HEAD}[{"index":0,"delta":{},"finish_reason":"${reason}"}]}\n\n` +
  `data: ${HEAD}[],"usage":{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110}}\n\ndata: [DONE]\n\n`
const STOP = ending('stop')
const CALLS = ending('tool_calls')

const toolCall = (key: string, step: number): string => {
  const call = {
    index: 0,
    id: `call_${key}_${step}`,
    type: 'function',
    function: {
      name: 'memory_insert',
      arguments: JSON.stringify({ label: 'human', new_string: markerOf(key, step) }),
    },
  }
  return delta(JSON.stringify({ tool_calls: [call] }))
}

const book: ProviderBook = { calls: {}, active: 0, activeMs: 0, sinceMs: 0 }
let changedAt = performance.now()
let resetAt = changedAt
function count(change: number): void {
  const now = performance.now()
  book.activeMs += book.active * (now - changedAt)
  book.active += change
  changedAt = now
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}

/** The task, and how many of its steps are done: the tool results after it. */
function readRequest(body: string): { task: Task; step: number } {
  const last = Math.max(body.lastIndexOf('"role":"user"'), 0)
  const task = parseTask(body.slice(last, last + 2000))
  return { task, step: body.slice(last).split('"role":"tool"').length - 1 }
}

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { task, step } = readRequest(await readBody(request))
  const { key, tokens, tokenMs } = task
  book.calls[key] ??= []
  book.calls[key][step] = (book.calls[key][step] ?? 0) + 1
  const end = step < task.steps - 1 ? toolCall(key, step) + CALLS : STOP
  if (task.firstMs > 0) await sleep(task.firstMs)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const piece = (index: number): string => TEXT_BEFORE + tokenOf(task, step, index) + TEXT_AFTER
  if (tokenMs === 0) {
    response.end(ROLE + Array.from({ length: tokens }, (_, index) => piece(index)).join('') + end)
    return
  }
  response.write(ROLE)
  let sent = 0
  // a phase of its own for each stream, and the pace kept although a timer comes late
  const startedAt = performance.now() + Math.random() * tokenMs
  const sendDue = (): void => {
    if (response.destroyed) return
    const due = Math.min(tokens, Math.floor((performance.now() - startedAt) / tokenMs) + 1)
    for (; sent < due; sent += 1) response.write(piece(sent))
    if (sent === tokens) response.end(end)
    else setTimeout(sendDue, Math.max(1, startedAt + sent * tokenMs - performance.now()))
  }
  setTimeout(sendDue, Math.max(0, startedAt - performance.now()))
}

function answerBook(response: ServerResponse, isReset: boolean): void {
  count(0)
  book.sinceMs = performance.now() - resetAt
  response.end(JSON.stringify(book))
  if (!isReset) return
  book.activeMs = 0
  resetAt = performance.now()
}

const server = createServer((request, response) => {
  if (request.url?.startsWith('/book') === true) return answerBook(response, request.url.includes('reset'))
  if (request.url?.endsWith('/chat/completions') === true) {
    count(1)
    response.once('close', () => count(-1))
    void answer(request, response)
    return
  }
  const isModels = request.url?.endsWith('/models') === true
  response.writeHead(isModels ? 200 : 404, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ object: 'list', data: [{ id: 'gpt-4o-mini', object: 'model', owned_by: 'bench' }] }))
})
server.keepAliveTimeout = 60_000
server.listen({ port: 0, host: '127.0.0.1', backlog: 2048 }, () => {
  const { port } = server.address() as AddressInfo
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` }))
})
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))
