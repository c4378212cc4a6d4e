import { errorMessage, invalidArgument } from '#platform/errors.ts'
import { explainConnection, explainResponse } from './explain-failure.ts'
import { readEvents, type SentEvent } from './read-events.ts'

/** The server, as the chat uses it. Everything throws DomainError with a message for the user. */
export interface Api {
  readonly url: string
  get<Body>(path: string): Promise<Body>
  send<Body>(method: 'POST' | 'PATCH', path: string, body: object): Promise<Body>
  /** Sends a request and gives its answer event by event; the end of the events tells nothing, `[DONE]` is among them. */
  stream(path: string, body: object, signal: AbortSignal): AsyncGenerator<SentEvent>
}

export function createApi(options: { url: string; apiKey: string | undefined }): Api {
  const { apiKey } = options
  const url = normalizeUrl(options.url)
  const request = async (path: string, init: RequestInit): Promise<Response> => {
    const headers = new Headers({ accept: 'application/json, text/event-stream' })
    if (init.body !== undefined) headers.set('content-type', 'application/json')
    if (apiKey !== undefined) headers.set('authorization', `Bearer ${apiKey}`)
    const response = await fetch(`${url}${path}`, { ...init, headers }).catch((error: unknown) => {
      throw init.signal?.aborted ? error : explainConnection(url, error)
    })
    if (response.ok) return response
    throw explainResponse(url, response.status, await response.text().catch(() => ''), apiKey !== undefined)
  }
  return {
    url,
    get: async <Body>(path: string) => readJson<Body>(url, await request(path, {})),
    send: async <Body>(method: 'POST' | 'PATCH', path: string, body: object) =>
      readJson<Body>(url, await request(path, { method, body: JSON.stringify(body) })),
    async *stream(path, body, signal) {
      const response = await request(path, { method: 'POST', body: JSON.stringify(body), signal })
      if (response.body !== null) yield* readEvents(response.body)
    },
  }
}

async function readJson<Body>(url: string, response: Response): Promise<Body> {
  const text = await response.text()
  try {
    return JSON.parse(text) as Body
  } catch (error) {
    throw invalidArgument(`${url} does not answer as a Perdure server would (${errorMessage(error)}). Is --url right?`)
  }
}

/** Forgives a missing scheme, a slash at the end and a `/v1`. */
function normalizeUrl(text: string): string {
  const url = URL.parse(/^https?:\/\//i.test(text) ? text : `http://${text}`)
  if (url === null) throw invalidArgument(`--url ${text} is no address. Write it as http://127.0.0.1:8283.`)
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/v1$/, '')}`
}
