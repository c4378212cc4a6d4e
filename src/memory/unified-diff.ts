import { createTwoFilesPatch, FILE_HEADERS_ONLY, formatPatch } from 'diff'

/** Lines taken out and put in that are looked for; beyond that the whole is shown as replaced. Bounds the time to some 100 ms. */
const MAX_EDITS = 2000
const CONTEXT_LINES = 3

export interface DiffSide {
  /** What the side is called in the first two lines. */
  name: string
  text: string
}

/** The difference of two texts by lines, as `diff -u` shows it; empty where there is none. */
export function unifiedDiff(from: DiffSide, to: DiffSide): string {
  if (from.text === to.text) return ''
  const options = { context: CONTEXT_LINES, headerOptions: FILE_HEADERS_ONLY, maxEditLength: MAX_EDITS }
  const patch = createTwoFilesPatch(from.name, to.name, from.text, to.text, undefined, undefined, options)
  return patch ?? replacedWhole(from, to)
}

function replacedWhole(from: DiffSide, to: DiffSide): string {
  const [before, after] = [from.text.split('\n'), to.text.split('\n')]
  const lines = [...before.map((line) => `-${line}`), ...after.map((line) => `+${line}`)]
  const hunk = { oldStart: 1, oldLines: before.length, newStart: 1, newLines: after.length, lines }
  const patch = {
    oldFileName: from.name,
    newFileName: to.name,
    oldHeader: undefined,
    newHeader: undefined,
    hunks: [hunk],
  }
  return formatPatch(patch, FILE_HEADERS_ONLY)
}
