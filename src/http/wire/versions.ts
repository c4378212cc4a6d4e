import Type, { type Static, type TProperties } from 'typebox'
import { unifiedDiff } from '#memory/unified-diff.ts'
import type { VersionPair } from '#memory/version-pair.ts'
import type { VersionAuthor } from '#store/author.ts'
import type { VersionPageRequest } from '#store/version-page.ts'
import { Nullable, StringEnum } from './nullable.ts'

/** A page of versions is small: whoever reads them looks at the newest. */
const MAX_VERSIONS = 100
/** PostgreSQL's integer. */
const VersionNumber = Type.Integer({ minimum: 1, maximum: 2_147_483_647 })

/** The number of a version in the path. */
export const versionParameter = { version: VersionNumber }

/** In bodies of changes. */
export const ExpectedVersion = Type.Optional(
  Nullable(
    Type.Integer({
      minimum: 1,
      maximum: 2_147_483_647,
      description:
        '409, and nothing is changed, where it is not at this version; without it the change is made to what is there',
    }),
  ),
)

/** Query parameters of a list of versions. After validation `limit` and `order` are set. */
export const versionPaging = {
  before: Type.Optional(
    Type.Integer({ ...VersionNumber, description: 'Versions before this one, in the order asked for' }),
  ),
  after: Type.Optional(
    Type.Integer({ ...VersionNumber, description: 'Versions after this one, in the order asked for' }),
  ),
  limit: Type.Integer({
    minimum: 1,
    default: 50,
    description: `Number of versions; ${MAX_VERSIONS} at most are given`,
  }),
  order: StringEnum(['asc', 'desc'], { default: 'desc' }),
}

/** The store's request of validated query parameters. */
export function toVersionPage(query: {
  before?: number
  after?: number
  limit: number
  order: 'asc' | 'desc'
}): VersionPageRequest {
  const { before, after, order } = query
  return { limit: Math.min(query.limit, MAX_VERSIONS), order, before, after }
}

/** Which version another is compared with. */
export const diffQuery = {
  from: Type.Optional(
    Type.Integer({ ...VersionNumber, description: 'The version to compare with; the one before by default' }),
  ),
}

export const AuthorSchema = Type.Object({
  type: StringEnum(['user', 'agent']),
  id: Nullable(Type.String({ description: 'Of the user or the agent' })),
  run_id: Nullable(Type.String({ description: 'The run in which an agent wrote it' })),
  tool_name: Nullable(Type.String({ description: 'The tool by which it was written' })),
})

export function presentAuthor(row: VersionAuthor): Static<typeof AuthorSchema> {
  const { author_type, author_id, run_id, tool_name } = row
  return { type: author_type === 'agent' ? 'agent' : 'user', id: author_id, run_id, tool_name }
}

/** The answer of a comparison; `version` is the schema of a version without its text. */
export const diffSchema = <Fields extends TProperties>(version: ReturnType<typeof Type.Object<Fields>>) =>
  Type.Object({
    from: Nullable(version),
    to: version,
    diff: Type.String({ description: 'Line by line, as `diff -u` shows it; empty where the texts are the same' }),
  })

/** The answer of a comparison: the first version of all is compared with nothing. */
export function presentDiff<Row extends { version: number }, Wire>(
  { from, to }: VersionPair<Row>,
  textOf: (row: Row) => string,
  present: (row: Row) => Wire,
): { from: Wire | null; to: Wire; diff: string } {
  const side = (row: Row) => ({ name: `version ${row.version}`, text: textOf(row) })
  const before = from === undefined ? { name: '/dev/null', text: '' } : side(from)
  return { from: from === undefined ? null : present(from), to: present(to), diff: unifiedDiff(before, side(to)) }
}
