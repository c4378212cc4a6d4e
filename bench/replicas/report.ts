interface Row {
  what: string
  isMet: boolean
}
const rows: Row[] = []

/** One bar of the benchmark, met or missed. */
export function report(what: string, value: string, bar: string, isMet: boolean): void {
  rows.push({ what, isMet })
  console.log(`${isMet ? 'ok  ' : 'MISS'}  ${what}: ${value}  (bar ${bar})`)
}

/** What is worth knowing beside the bars. */
export const note = (line: string): void => console.log(`      ${line}`)

/** Says how many bars were met, and gives the exit code. */
export function concludeReport(): number {
  const missed = rows.filter((row) => !row.isMet)
  console.log(
    missed.length === 0 ? `\nall ${rows.length} bars met` : `\n${missed.length} of ${rows.length} bars missed`,
  )
  return missed.length === 0 ? 0 : 1
}

export const ms = (value: number): string => `${value.toFixed(1)} ms`
export const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`
