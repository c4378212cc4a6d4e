import Type, { type Static, type TSchema } from 'typebox'

/** A value that V1 also sends or takes as `null`. */
export const Nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])

/** An enumeration of strings as one `enum`, which reads better in documents and errors than a union of constants. */
export const StringEnum = <const Values extends readonly string[]>(
  values: Values,
  options: { default?: Values[number]; description?: string } = {},
) => Type.Unsafe<Values[number]>({ type: 'string', enum: [...values], ...options })

/** A JSON object with any content. */
export const AnyObject = Type.Unsafe<Record<string, unknown>>({ type: 'object', additionalProperties: true })
export type AnyObject = Static<typeof AnyObject>

/** A point in time as an ISO 8601 text with its offset. */
export const Timestamp = Type.String({ format: 'date-time' })

/** How every point in time is sent; null stays null. */
export function presentTime(time: Date): string
export function presentTime(time: Date | null): string | null
export function presentTime(time: Date | null): string | null {
  return time === null ? null : time.toISOString()
}
