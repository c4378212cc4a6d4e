import { type RawBuilder, sql } from 'kysely'
import { allOf } from '#store/all-of.ts'

/** Words and phrases of which one must occur, and those that must not. */
export interface WordQuery {
  terms: readonly string[]
  excluded: readonly string[]
}

/** Rows that are ranked, at most: a term that has more of them is common, and not what rows are found by if there is another. */
export const MAX_RANKED = 500

/** A table `s` with the columns `id` and `search`, and the rows of it that are searched. */
export interface WordSource {
  table: 'passages' | 'file_passages' | 'tools' | 'messages'
  /** Which rows words are weighed in: what the search is in at all. */
  scope: RawBuilder<unknown>
  /** Which rows are a sample of the scope: an order that an index gives; any rows where undefined. */
  sampleOrder?: RawBuilder<unknown> | undefined
  /** Further conditions on the rows that are found. */
  filters: RawBuilder<unknown>
  /** How many rows are in scope, as an expression. */
  total: RawBuilder<unknown>
}

/** Conditions that no excluded term occurs in `column`, in any inflection. */
export const excludes = (column: RawBuilder<unknown>, excluded: readonly string[]): RawBuilder<unknown> =>
  allOf(...excluded.map((term) => sql`not ${column} @@ (select perdure_word_query(${term}))`))
