import { DomainError, errorMessage } from '#platform/errors.ts'
import type { ErrorEvent } from './wire.ts'

const START = 'Start it in another shell with `npm start` in the checkout, or with `npx perdure server`'

/** A server that cannot be reached, or that went away. */
export function explainConnection(url: string, error: unknown): DomainError {
  const { cause } = error as { cause?: { code?: string } & Error }
  const problem = cause?.code === 'ECONNREFUSED' ? 'nothing listens there' : cause?.message || errorMessage(error)
  return new DomainError(
    'unavailable',
    `No Perdure server answers at ${url}: ${problem}. ${START}; where it listens elsewhere, name it with --url or PERDURE_BASE_URL.`,
    { cause: error },
  )
}

/** A refusal of the server in the words that help: its own, the provider's, or what to set. */
export function explainResponse(url: string, status: number, body: string, hasKey: boolean): DomainError {
  const { error, detail } = parseFailure(body)
  if (error !== undefined) return explainProvider(error.type, error.message)
  if (status === 401) {
    const advice = hasKey
      ? 'refuses the key in PERDURE_API_KEY: set it to the key that the server was started with.'
      : 'wants a key: set PERDURE_API_KEY to the key that the server was started with.'
    return new DomainError('unauthorized', `The server at ${url} ${advice}`)
  }
  if (detail === undefined) {
    return new DomainError('internal', `${url} answered ${status} and not as a Perdure server would. Is --url right?`)
  }
  return new DomainError('internal', typeof detail === 'string' ? detail : (detail.message ?? JSON.stringify(detail)))
}

/** A turn that failed after its stream had begun. */
export function explainTurn(event: ErrorEvent): DomainError {
  if (event.error_type.startsWith('llm_')) return explainProvider(event.error_type, event.message)
  return new DomainError('internal', `The turn failed: ${event.message}`)
}

const ADVICE: Readonly<Record<string, string>> = {
  llm_authentication: "Check the provider's key in the settings of the server.",
  llm_rate_limit: 'Wait a little, then say it again.',
  llm_insufficient_credits: 'Top up the account at the provider, or change the model with /model.',
  llm_timeout: 'Say it again; a model that loads slowly needs a longer PERDURE_MODEL_FIRST_BYTE_TIMEOUT on the server.',
}

function explainProvider(type: string, message: string): DomainError {
  const advice = ADVICE[type]
  return new DomainError(
    'unavailable',
    `The model did not answer: ${message}${advice === undefined ? '' : ` ${advice}`}`,
  )
}

interface Failure {
  error?: { type: string; message: string }
  detail?: string | { message?: string }
}

function parseFailure(body: string): Failure {
  try {
    const value: unknown = JSON.parse(body)
    return typeof value === 'object' && value !== null ? (value as Failure) : {}
  } catch {
    return {}
  }
}
