/** `{{ NAME }}` and `{{ NAME | what stands for it where it is not set }}`. */
const TEMPLATE = /\{\{\s*([A-Za-z_]\w*)\s*(?:\|\s*([^}]*?)\s*)?\}\}/g

/** A variable that a template needs and that nobody has set. */
export class MissingVariable extends Error {
  readonly variable: string

  constructor(variable: string) {
    super(`the variable ${variable} is not set`)
    this.variable = variable
  }
}

export type Variables = Readonly<Record<string, string>>

/**
 * A text with its variables put in.
 * @param encode makes a value fit where it stands
 * @throws MissingVariable for one that is not set and has no default; its message never has a value in it
 */
export function resolveTemplate(
  text: string,
  variables: Variables,
  encode: (value: string) => string = (value) => value,
): string {
  return text.replace(TEMPLATE, (_match, name: string, fallback: string | undefined) => {
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined
    if (value !== undefined) return encode(value)
    if (fallback === undefined) throw new MissingVariable(name)
    return encode(fallback)
  })
}

/** The text with a word for each variable, to look at its form. */
export const withoutTemplates = (text: string): string => text.replace(TEMPLATE, 'x')
