/** A text in which none of the secrets stands any more. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  // longer ones first: one can be a part of another
  const ordered = [...new Set(secrets)].sort((a, b) => b.length - a.length)
  return ordered.reduce((clean, secret) => clean.replaceAll(secret, '[redacted]'), text)
}
