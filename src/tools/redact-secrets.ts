/** Shorter values are words that occur anyway; to hide them would hide what is said. */
const MIN_SECRET_LENGTH = 6

/**
 * Gives a function that puts `[secret NAME]` in place of each secret's value, also where it stands inside of JSON. What code makes of a
 * value (its Base64, its parts) is another text, and is not found.
 */
export function createRedactor(secrets: Readonly<Record<string, string>>): (text: string) => string {
  const hidden = Object.entries(secrets)
    .filter(([, value]) => value.length >= MIN_SECRET_LENGTH)
    .flatMap(([name, value]) => [...new Set([value, insideJson(value)])].map((form) => [name, form] as const))
    // a secret that is a part of another must not tear it apart
    .sort(([, a], [, b]) => b.length - a.length)
  return (text) => hidden.reduce((clean, [name, value]) => clean.replaceAll(value, () => `[secret ${name}]`), text)
}

/** A value as JSON writes it: quotes, backslashes and ends of lines look otherwise there. */
const insideJson = (value: string): string => JSON.stringify(value).slice(1, -1)
