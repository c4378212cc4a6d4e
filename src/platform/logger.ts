import { createRequire } from 'node:module'
import pino from 'pino'
import type * as Pretty from 'pino-pretty'

export type Logger = pino.Logger

export interface LoggerOptions {
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  /** `auto` is pretty on a terminal and JSON otherwise. */
  format: 'auto' | 'json' | 'pretty'
  /** Texts that must never be written, wherever they stand in a line: the keys and passwords of the configuration. */
  secrets?: readonly string[]
  /** Where lines go, for tests; standard output otherwise. */
  destination?: pino.DestinationStream
}

/** Fields that hold credentials by their name; the values are replaced before a line is written. */
const SECRET_FIELDS = ['authorization', 'cookie', 'password', 'apiKey', 'api_key', 'x-api-key', 'token', 'secret']
const REDACTED = '[redacted]'
/** What looks like a credential in a message: `Bearer …`, `sk-…`, the password of a URL. */
const SECRET_TEXT = /(Bearer +)[\w.~+/=-]{8,}|\bsk-[\w-]{12,}|(:\/\/[^\s:/@"]*:)[^\s/@"]+(?=@)/gi
/** Shorter secrets are too likely to be a part of an ordinary word. */
const MIN_SECRET_LENGTH = 8

const loggerName = Symbol('logger name')
type NamedLogger = Logger & { [loggerName]?: string }

/**
 * One JSON object per line: `timestamp` (ISO 8601), `level` (a word), `logger`, `message`, and the ids that the event has
 * (`request_id`, `run_id`, `user_id`, `agent_id`, `agent_name`, `conversation_id`). Children inherit their parent's fields.
 */
export function createLogger(options: LoggerOptions): Logger {
  const logger: NamedLogger = pino(
    {
      level: options.level,
      base: null,
      messageKey: 'message',
      errorKey: 'error',
      timestamp: () => `,"timestamp":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      mixin: (_fields, _level, child: NamedLogger) => ({ logger: child[loggerName] }),
      serializers: { err: pino.stdSerializers.err },
      redact: { paths: SECRET_FIELDS.flatMap(redactedPaths), censor: REDACTED },
      hooks: { streamWrite: scrubber(options.secrets ?? []) },
    },
    options.destination ?? standardOutput(options.format),
  )
  logger[loggerName] = 'perdure'
  return logger
}

/** A child whose lines say which part of the program wrote them. */
export function namedLogger(parent: Logger, name: string): Logger {
  const child: NamedLogger = parent.child({})
  child[loggerName] = name
  return child
}

function redactedPaths(field: string): string[] {
  const key = /^\w+$/.test(field) ? field : `["${field}"]`
  const nested = key.startsWith('[') ? key : `.${key}`
  return [key, `*${nested}`, `*.headers${nested}`]
}

/** Replaces secrets in a finished line, whatever way they came into it. */
function scrubber(secrets: readonly string[]): (line: string) => string {
  const known = secrets
    .filter((secret) => secret.length >= MIN_SECRET_LENGTH)
    .map((secret) => JSON.stringify(secret).slice(1, -1))
  return (line) => {
    let clean = line.replace(
      SECRET_TEXT,
      (_match, bearer?: string, url?: string) => `${bearer ?? url ?? ''}${REDACTED}`,
    )
    for (const secret of known) clean = clean.replaceAll(secret, REDACTED)
    return clean
  }
}

function standardOutput(format: LoggerOptions['format']): pino.DestinationStream {
  const isPretty = format === 'pretty' || (format === 'auto' && process.stdout.isTTY === true)
  if (!isPretty) return pino.destination({ fd: 1, sync: false })
  // only terminals need it, and it is not small
  const { PinoPretty } = createRequire(import.meta.url)('pino-pretty') as typeof Pretty
  return PinoPretty({
    sync: true,
    colorize: process.stdout.isTTY === true,
    messageKey: 'message',
    timestampKey: 'timestamp',
    errorLikeObjectKeys: ['error', 'err'],
    translateTime: 'SYS:HH:MM:ss.l',
    messageFormat: (line, messageKey) => String(line[messageKey] ?? ''),
    ignore: 'logger',
  })
}
