/** What goes over the wire for a parameter: text, or bytes for `bytea`. Both engines get it from here, so that they agree. */
export type WireParameter = string | Uint8Array | null

/**
 * Encodes a parameter of a statement: Date → ISO 8601, arrays → array literals, lone surrogates → U+FFFD (PostgreSQL's UTF-8
 * has none). Throws TypeError for objects: JSON goes in as text, with a `$n::jsonb` cast in the SQL.
 */
export function toParameter(value: unknown): WireParameter {
  if (value === null || value === undefined) return null
  switch (typeof value) {
    case 'string':
      return value.toWellFormed()
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
  }
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return toArrayLiteral(value)
  throw new TypeError('an object cannot be a parameter; pass JSON.stringify(value) and cast it with ::jsonb')
}

function toArrayLiteral(values: readonly unknown[]): string {
  const elements = values.map((value) => {
    if (Array.isArray(value)) return toArrayLiteral(value)
    const element = toParameter(value)
    if (element === null) return 'NULL'
    if (typeof element !== 'string') throw new TypeError('an array of bytes cannot be a parameter')
    return `"${element.replace(/[\\"]/g, '\\$&')}"`
  })
  return `{${elements.join(',')}}`
}
