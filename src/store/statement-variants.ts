import { type Statement, statement } from './db.ts'

/** A statement whose text depends on what there is to do, with parameters by name. */
interface Variant {
  statement: Statement
  names: readonly string[]
}

/**
 * Statements that are put together from parts, so that one which has little to do is small: PostgreSQL opens every table of every
 * common table expression at each execution, whether it has rows or not. Each set of parts is a prepared statement of its own,
 * `name#parts`; parameters are written `:name` and bound by name.
 * @param write the text for a set of parts; called once for each
 */
export function statementVariants<Part extends string>(name: string, write: (has: (part: Part) => boolean) => string) {
  const variants = new Map<string, Variant>()
  return (parts: readonly Part[], values: Readonly<Record<string, unknown>>): [Statement, readonly unknown[]] => {
    const key = parts.join('+')
    let variant = variants.get(key)
    if (variant === undefined) {
      variant = compile(
        `${name}#${key}`,
        write((part) => parts.includes(part)),
      )
      variants.set(key, variant)
    }
    return [variant.statement, variant.names.map((parameter) => values[parameter])]
  }
}

function compile(name: string, text: string): Variant {
  const names: string[] = []
  // not the second colon of a cast
  const numbered = text.replace(/(?<!:):([a-z]\w*)/gi, (_, parameter: string) => {
    if (!names.includes(parameter)) names.push(parameter)
    return `$${names.indexOf(parameter) + 1}`
  })
  return { statement: statement(name, numbered), names }
}
