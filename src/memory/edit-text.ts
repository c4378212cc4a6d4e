/** Edits of a block's text, as pure functions. A refused edit says why, in words that the model can act on. */
export type EditResult = { ok: true; value: string } | { ok: false; problem: string }

const LINE_NUMBER_PREFIX = /^\s*\d+→ ?/m
const LINE_NUMBER_WARNING = 'Line numbers shown below (with arrows like'

const ok = (value: string): EditResult => ({ ok: true, value })
const refuse = (problem: string): EditResult => ({ ok: false, problem })

/** The line numbers in the prompt are a view; a model that copies them into an edit would corrupt the block. */
function findViewArtefact(text: string, parameter: string): string | undefined {
  if (LINE_NUMBER_PREFIX.test(text)) {
    return `${parameter} contains line number prefixes (like '1→'), which are not part of the block. Send the text without them.`
  }
  if (text.includes(LINE_NUMBER_WARNING)) {
    return `${parameter} contains the note about line numbers, which is not part of the block. Send the text without it.`
  }
  return undefined
}

/** Replaces the only occurrence of `oldText`. */
export function replaceUnique(value: string, label: string, oldText: string, newText: string): EditResult {
  const artefact = findViewArtefact(oldText, 'old_string') ?? findViewArtefact(newText, 'new_string')
  if (artefact !== undefined) return refuse(artefact)
  if (oldText === '') return refuse('old_string is empty. Use memory_insert to add text to a block.')
  const at = value.indexOf(oldText)
  if (at < 0) {
    return refuse(
      `No replacement was performed, old_string \`${oldText}\` did not appear verbatim in memory block with label \`${label}\`.`,
    )
  }
  if (value.indexOf(oldText, at + 1) >= 0) {
    const lines = value
      .split('\n')
      .flatMap((line, index) => (line.includes(oldText.split('\n')[0] ?? '') ? [index + 1] : []))
    return refuse(
      `No replacement was performed. Multiple occurrences of old_string \`${oldText}\` in lines [${lines.join(', ')}]. Please ensure it is unique.`,
    )
  }
  return ok(value.slice(0, at) + newText + value.slice(at + oldText.length))
}

/** Inserts whole lines after line `afterLine` (0 = before the first, -1 = at the end). */
export function insertLines(value: string, newText: string, afterLine: number): EditResult {
  const artefact = findViewArtefact(newText, 'new_string')
  if (artefact !== undefined) return refuse(artefact)
  if (value === '') return ok(newText)
  const lines = value.split('\n')
  const at = afterLine === -1 ? lines.length : afterLine
  if (!Number.isInteger(at) || at < 0 || at > lines.length) {
    return refuse(
      `insert_line ${afterLine} is out of range: the block has ${lines.length} lines, so use 0 to ${lines.length}, or -1 for the end.`,
    )
  }
  lines.splice(at, 0, ...newText.split('\n'))
  return ok(lines.join('\n'))
}

interface Hunk {
  before: string[]
  after: string[]
}

/** Splits a simplified unified diff into hunks: lines that begin with a blank, `-` or `+`; `@@` starts a new hunk. */
function parseHunks(patch: string): Hunk[] | string {
  const hunks: Hunk[] = []
  let hunk: Hunk | undefined
  for (const line of patch.replace(/\n$/, '').split('\n')) {
    if (line.startsWith('@@') || line.startsWith('---') || line.startsWith('+++')) {
      hunk = undefined
      continue
    }
    if (hunk === undefined) {
      hunk = { before: [], after: [] }
      hunks.push(hunk)
    }
    const text = line.slice(1)
    if (line.startsWith('-')) hunk.before.push(text)
    else if (line.startsWith('+')) hunk.after.push(text)
    else if (line.startsWith(' ') || line === '') {
      hunk.before.push(text)
      hunk.after.push(text)
    } else return `Line \`${line}\` of the patch begins neither with a blank, nor with '-' or '+'.`
  }
  return hunks
}

/** Applies a patch; each hunk's old lines must stand exactly once in the block. A hunk with only `+` lines is appended. */
export function applyPatch(value: string, label: string, patch: string): EditResult {
  const hunks = parseHunks(patch)
  if (typeof hunks === 'string') return refuse(hunks)
  if (hunks.length === 0) return refuse('The patch has no lines that change anything.')
  let lines = value === '' ? [] : value.split('\n')
  for (const { before, after } of hunks) {
    if (before.length === 0) {
      lines = [...lines, ...after]
      continue
    }
    const places = lines.flatMap((_, start) => (before.every((text, k) => lines[start + k] === text) ? [start] : []))
    const [start] = places
    if (start === undefined)
      return refuse(`The patch does not apply: \`${before.join('\n')}\` was not found in memory block \`${label}\`.`)
    if (places.length > 1) {
      return refuse(
        `The patch is ambiguous: \`${before.join('\n')}\` stands ${places.length} times in memory block \`${label}\`. Add lines around it.`,
      )
    }
    lines.splice(start, before.length, ...after)
  }
  return ok(lines.join('\n'))
}
