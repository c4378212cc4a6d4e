import { type RawBuilder, sql } from 'kysely'
import { sqlBuilder, toStatement } from '#store/builder.ts'
import type { Queryable } from '#store/db.ts'
import { type QueryVector, similarityOf } from '#store/embeddings/nearest.ts'
import type { WeighedTerm } from './weigh-terms.ts'
import type { WordSource } from './word-source.ts'

/** What a text is scored by. */
export interface TextFeatures {
  id: string
  /** Lexemes. */
  size: number
  /** Places of the terms that it has. */
  places: number[]
  /** Cosine to the query; null where it has no vector. */
  similarity: number | null
  created_at: Date
}

/** Which of the terms the text `s` has, as an expression. */
export const placesOf = (terms: readonly WeighedTerm[]): RawBuilder<unknown> =>
  sql`array(select w.place from unnest(${terms.map((term) => term.query)}::tsquery[], ${terms.map((term) => term.place)}::int[])
    as w (query, place) where s.search @@ w.query)`

/** The features of texts by their ids, in any order. */
export function readFeatures(
  db: Queryable,
  table: WordSource['table'],
  organizationId: string,
  ids: readonly string[],
  terms: readonly WeighedTerm[],
  vectors: readonly QueryVector[],
): Promise<TextFeatures[]> {
  const query = sql`select s.id, s.created_at, length(s.search) as size, ${placesOf(terms)} as places,
      ${similarityOf(vectors, sql.ref('s.organization_id'), sql.ref('s.id'))} as similarity
    from ${sql.table(table)} as s where s.organization_id = ${organizationId} and s.id = any(${ids}::text[])`
  return db.query<TextFeatures>(...toStatement(`read-features-of-${table}`, query.compile(sqlBuilder)))
}
