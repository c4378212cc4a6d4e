import type { Embedder } from '#llm/embeddings/embedder.ts'
import { type Db, statement } from '#store/db.ts'
import { vectorText } from '#store/embeddings/vector-column.ts'
import type { Conversation } from './locomo.ts'

/**
 * Passages by the hundred thousand, made in the database: each is four turns of LoCoMo's conversations put together, and its vector the one of the first of them, moved a little,
 * so that all differ and lie as real ones do.
 */

const MAKE_BASES = `
create table bench_bases (n integer primary key, text text not null, v vector(384) not null);
create table bench_noise (n integer primary key, v vector(384) not null)`
const INSERT_BASES = statement(
  'bench-insert-bases',
  `insert into bench_bases select t.n, t.text, t.v::vector from unnest($1::int[], $2::text[], $3::text[]) as t (n, text, v)`,
)
const INSERT_NOISE = statement(
  'bench-insert-noise',
  `insert into bench_noise select n, array_agg((random() - 0.5) * 0.05)::vector(384)
   from generate_series(0, $1::int - 1) as n cross join generate_series(1, 384) as d group by n`,
)
/** How many different moves of a vector there are. */
export const NOISES = 997

export async function prepareBases(
  db: Db,
  embedder: Embedder,
  conversations: readonly Conversation[],
): Promise<number> {
  const texts = conversations.flatMap(({ turns }) => turns.map(({ speaker, text }) => `${speaker}: ${text}`))
  await db.execute(MAKE_BASES)
  for (let start = 0; start < texts.length; start += 500) {
    const part = texts.slice(start, start + 500)
    const vectors = await embedder.embed(part)
    await db.query(INSERT_BASES, [part.map((_, index) => start + index), part, vectors.map(vectorText)])
  }
  await db.query(INSERT_NOISE, [NOISES])
  await db.execute(`insert into embedding_models (handle, dimensions, is_current) values ('${embedder.handle}', 384, null)
    on conflict do nothing`)
  return texts.length
}

const FILL = statement(
  'bench-fill-archives',
  `with made as (
    select i, $1 || lpad(((i - 1) / $4::int)::text, 6, '0') as suffix, b.n, b.v,
      b.text || ' ' || c.text || ' ' || d.text || ' ' || e.text as text
    from generate_series($2::int, $3::int) as i
    join bench_bases as b on b.n = (i::bigint * 7919) % $5
    join bench_bases as c on c.n = (i::bigint * 104729 + 1) % $5
    join bench_bases as d on d.n = (i::bigint * 1299709 + 2) % $5
    join bench_bases as e on e.n = (i::bigint * 15485863 + 3) % $5
  ), passages as (
    insert into passages (organization_id, id, archive_id, text, tags, created_at)
    select case when $6 then 'org-' || suffix else $7 end, 'passage-' || $1 || i, 'archive-' || suffix, text,
      array['tag-' || i % 50], now() - i * interval '1 second'
    from made
  ), tagged as (
    insert into passage_tags (organization_id, archive_id, tag, passage_id)
    select case when $6 then 'org-' || suffix else $7 end, 'archive-' || suffix, 'tag-' || i % 50, 'passage-' || $1 || i from made
  )
  insert into embeddings (organization_id, source_id, kind, scope_id, created_at, model, v384)
  select case when $6 then 'org-' || suffix else $7 end, 'passage-' || $1 || i, 'passage', 'archive-' || suffix, now() - i * interval '1 second',
    (select max(id) from embedding_models), (m.v + x.v)::halfvec(384)
  from made as m join bench_noise as x on x.n = (m.i * 31) % ${NOISES}`,
)
const ARCHIVES = statement(
  'bench-insert-archives',
  `with orgs as (
    insert into organizations (id, name) select 'org-' || $1 || lpad(n::text, 6, '0'), 'O' from generate_series(0, $2::int - 1) as n where $4
  ) insert into archives (organization_id, id, name, passage_count)
  select case when $4 then 'org-' || $1 || lpad(n::text, 6, '0') else $5 end, 'archive-' || $1 || lpad(n::text, 6, '0'), 'A', $3
  from generate_series(0, $2::int - 1) as n`,
)

interface Fill {
  /** Of the ids. */
  prefix: string
  archives: number
  perArchive: number
  bases: number
  /** Each archive is another organisation's; undefined: all of this one's. */
  organizationId?: string
}

/** Gives nothing back: archives are `archive-<prefix>000000` and so on, organisations `org-<prefix>000000`. */
export async function fillArchives(db: Db, fill: Fill, onProgress: (line: string) => void): Promise<void> {
  const { prefix, archives, perArchive, bases, organizationId } = fill
  const isSpread = organizationId === undefined
  await db.query(ARCHIVES, [prefix, archives, perArchive, isSpread, organizationId ?? ''])
  const total = archives * perArchive
  const step = 20_000
  for (let start = 1; start <= total; start += step) {
    const end = Math.min(start + step - 1, total)
    await db.query(FILL, [prefix, start, end, perArchive, bases, isSpread, organizationId ?? ''])
    if (end % 100_000 === 0) onProgress(`${end} of ${total} passages`)
  }
  for (const table of ['passages', 'embeddings', 'passage_tags', 'archives'])
    await db.execute(`vacuum (analyze) ${table}`)
}
