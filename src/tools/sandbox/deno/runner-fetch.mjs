/**
 * `fetch` for code that has no network: the process has no permission for any connection. The server makes the request, after it has
 * checked host, port and address, and sends the answer back through standard input.
 */
const { stdin, exit } = Deno
const { parse } = JSON
const decoder = new TextDecoder()
const decode = decoder.decode.bind(decoder)
const CHUNK_BYTES = 256 * 1024
const NEWLINE = 10
/** Statuses whose answers have no body. */
const BODILESS = [101, 204, 205, 304]

/** `ask` is null where the tool has no network. */
export function installFetch(ask) {
  const waiting = new Map()
  let nextId = 1
  let isReading = false
  let rest = new Uint8Array(0)

  // only while an answer is awaited: a read keeps the process from ending
  async function readAnswers() {
    if (isReading) return
    isReading = true
    while (waiting.size > 0) {
      const chunk = new Uint8Array(CHUNK_BYTES)
      const length = await stdin.read(chunk)
      if (length === null) exit(0)
      const bytes = new Uint8Array(rest.length + length)
      bytes.set(rest)
      bytes.set(chunk.subarray(0, length), rest.length)
      rest = takeLines(bytes)
    }
    isReading = false
  }

  function takeLines(bytes) {
    let start = 0
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      const answer = parse(decode(bytes.subarray(start, end)))
      waiting.get(answer.id)?.(answer)
      waiting.delete(answer.id)
      start = end + 1
    }
    return bytes.subarray(start)
  }

  // Deno loads fetch, Request and Response when they are first named, which takes 12 ms: not before the code asks for one
  const native = Object.getOwnPropertyDescriptor(globalThis, 'fetch')
  const nativeFetch = () => native.value ?? native.get.call(globalThis)
  const value = async function fetch(input, init) {
    const request = new Request(input, init)
    // `data:` and `blob:` need no connection; anything else Deno refuses
    if (!/^https?:$/.test(new URL(request.url).protocol)) return await nativeFetch()(input, init)
    request.signal.throwIfAborted()
    if (ask === null) throw new TypeError('fetch failed: this tool has no network access')
    const body = request.body === null ? null : new Uint8Array(await request.arrayBuffer()).toBase64()
    const answer = await new Promise((resolve, reject) => {
      const id = nextId++
      waiting.set(id, resolve)
      request.signal.addEventListener('abort', () => {
        waiting.delete(id)
        reject(request.signal.reason)
      })
      const { method, url, redirect } = request
      ask({ __proto__: null, id, method, url, redirect, headers: [...request.headers], body })
      void readAnswers()
    })
    if (answer.error !== undefined) throw new TypeError(answer.error)
    const bytes = BODILESS.includes(answer.status) ? null : Uint8Array.fromBase64(answer.body)
    const { status, statusText, headers, url, redirected } = answer
    const response = new Response(bytes, { status, statusText, headers })
    Object.defineProperties(response, { url: { value: url }, redirected: { value: redirected } })
    return response
  }
  Object.defineProperty(globalThis, 'fetch', { value, configurable: true, writable: true })
}
