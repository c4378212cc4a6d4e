import { type Queryable, statement } from '#store/db.ts'

const KEEP = statement(
  'keep-meaningful-terms',
  `select t.term from perdure_language(array_to_string($1::text[], ' ')) as l (language)
   cross join unnest($1::text[]) with ordinality as t (term, place)
   where array_remove(perdure_word_forms(t.term, l.language), null) <> '{}' order by t.place`,
)

/** The terms of a query without those that mean nothing in its language ("the"). */
export async function keepMeaningful(db: Queryable, terms: readonly string[]): Promise<string[]> {
  const kept = await db.query<{ term: string }>(KEEP, [terms])
  return kept.map(({ term }) => term)
}
