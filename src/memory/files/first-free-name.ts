/** The name itself, or with the first number that is free behind its stem: `notes_(1).txt`. */
export function firstFreeName(
  { stem, extension }: { stem: string; extension: string },
  taken: ReadonlySet<string>,
): string {
  let candidate = stem + extension
  for (let number = 1; taken.has(candidate); number += 1) candidate = `${stem}_(${number})${extension}`
  return candidate
}
