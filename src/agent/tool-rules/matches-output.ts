type Scalar = string | number | boolean | null

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i

/** What a text stands for: `True` and `true` are one value, `1.0` and `1` are, and so are `"a"` and `a`. */
function decode(text: string): Scalar {
  const trimmed = text.trim()
  const lower = trimmed.toLowerCase()
  if (lower === 'true' || lower === 'false') return lower === 'true'
  if (lower === 'none' || lower === 'null') return null
  if (NUMBER.test(trimmed)) return Number(trimmed)
  if (trimmed.startsWith('"') && trimmed.endsWith('"')) {
    try {
      return String(JSON.parse(trimmed))
    } catch {
      return trimmed
    }
  }
  return trimmed
}

/** Whether the output of a tool is the value that a conditional rule names; both are texts of values. */
export const matchesOutput = (output: string, key: string): boolean =>
  output === key || Object.is(decode(output), decode(key))
