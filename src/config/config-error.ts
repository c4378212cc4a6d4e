/** A setting that the server must not start with. The message is one line that says what to fix, and holds no secret. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}
