const OPENING = '([{'
const CLOSING = ')]}'

/**
 * The parameters of a function in their order, read from its own text: `name` for plain ones, `pattern` for `{ a, b }` and `[a]`, `rest` for
 * `...more`. A function that was not written as code has none.
 */
export function readParameters(fn) {
  const text = Function.prototype.toString.call(fn)
  const single = /^(?:async\s+)?([\p{ID_Start}$_][\p{ID_Continue}$]*)\s*=>/u.exec(text)
  if (single !== null) return [{ name: single[1], kind: 'name' }]
  const start = text.indexOf('(')
  if (start < 0 || text.includes('[native code]')) return []
  return splitList(text, start + 1).map((part) => {
    if (part.startsWith('...')) return { name: part.slice(3), kind: 'rest' }
    if (/^[{[]/.test(part)) return { name: '', kind: 'pattern' }
    return { name: /^[\p{ID_Start}$_][\p{ID_Continue}$]*/u.exec(part)?.[0] ?? '', kind: 'name' }
  })
}

/** What stands between commas, up to the bracket that closes the list; comments are left out. */
function splitList(text, start) {
  const parts = []
  let part = ''
  let depth = 0
  for (let at = start; at < text.length; at += 1) {
    const character = text[at]
    if (text.startsWith('//', at)) at = endOf(text, '\n', at)
    else if (text.startsWith('/*', at)) at = endOf(text, '*/', at + 2)
    else if (character === '"' || character === "'" || character === '`') at = endOfText(text, at)
    else if (depth === 0 && (character === ',' || character === ')')) {
      if (part.trim() !== '') parts.push(part.trim())
      part = ''
      if (character === ')') break
    } else {
      if (OPENING.includes(character)) depth += 1
      if (CLOSING.includes(character)) depth -= 1
      part += character
    }
  }
  return parts
}

function endOf(text, mark, from) {
  const end = text.indexOf(mark, from)
  return end < 0 ? text.length : end + mark.length - 1
}

function endOfText(text, start) {
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] === '\\') at += 1
    else if (text[at] === text[start]) return at
  }
  return text.length
}
