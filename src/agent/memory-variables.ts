/** Names and what stands for them. */
export type MemoryVariables = Readonly<Record<string, string>>

/** `{{name}}`, spaces within allowed; the name is whatever else stands between the braces. */
const VARIABLE = /\{\{\s*([^{}]+?)\s*\}\}/g

/** The text with every variable that has a value replaced by it, once: what a value says is not looked into. Others stay as they are. */
export function fillVariables(text: string, variables: MemoryVariables): string {
  return text.replace(VARIABLE, (whole, name: string) =>
    Object.hasOwn(variables, name) ? (variables[name] ?? '') : whole,
  )
}
