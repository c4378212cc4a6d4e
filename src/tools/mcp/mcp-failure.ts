/** Why an MCP server did not do what was asked. */
export type McpFailureKind =
  /** What is stored of it cannot be used: a variable that nobody has set, a bad header. */
  | 'configuration'
  /** Its address is not allowed here. */
  | 'forbidden'
  /** It wants a person to allow this server, by OAuth. */
  | 'authorization'
  /** It refuses the credentials that it was sent. */
  | 'refused'
  | 'unreachable'
  | 'time-out'
  | 'cancelled'
  | 'too-large'
  /** The connection, or the program, ended while it worked: what it did is not known. */
  | 'interrupted'
  /** It is not asked again for a moment, after it failed. */
  | 'backing-off'
  | 'busy'
  /** It answered, with an error of the protocol or with what is none of its answers. */
  | 'protocol'
  /** The session is not known to it any more; it did nothing. */
  | 'session-lost'

/** A failure that is written for people and models: names the server, what happened and what to do. Never holds a secret. */
export class McpFailure extends Error {
  readonly kind: McpFailureKind
  /** True where the server cannot have seen the request. */
  readonly isUnsent: boolean

  constructor(kind: McpFailureKind, message: string, options: { isUnsent?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'McpFailure'
    this.kind = kind
    this.isUnsent = options.isUnsent ?? false
  }
}
