import Type from 'typebox'
import { StringEnum } from './nullable.ts'

/** More than this is never given in one page; the client asks on with a cursor. */
export const MAX_PAGE_LIMIT = 1000

interface PagingDefaults<OrderBy extends readonly [string, ...string[]]> {
  limit?: number
  order?: 'asc' | 'desc'
  /** Columns that the list can be ordered by; the first is the default. */
  orderBy?: OrderBy
}

/**
 * Query parameters of a paged list: spread them into the operation's own. After validation `limit`, `order` and `order_by`
 * are set. `toPageRequest` makes the store's request of them.
 */
export function pagingParameters<const OrderBy extends readonly [string, ...string[]] = readonly ['created_at']>(
  defaults: PagingDefaults<OrderBy> = {},
) {
  const orderBy = (defaults.orderBy ?? ['created_at']) as OrderBy
  return {
    before: Type.Optional(Type.String({ description: 'Id: items before this one, in the order asked for' })),
    after: Type.Optional(Type.String({ description: 'Id: items after this one, in the order asked for' })),
    limit: Type.Integer({
      minimum: 1,
      default: defaults.limit ?? 50,
      description: `Number of items; ${MAX_PAGE_LIMIT} at most are given`,
    }),
    order: StringEnum(['asc', 'desc'], { default: defaults.order ?? 'desc' }),
    order_by: StringEnum(orderBy, { default: orderBy[0] as OrderBy[number] }),
  }
}

interface PagingQuery {
  before?: string
  after?: string
  limit: number
  order: 'asc' | 'desc'
}

/** The store's `PageRequest` of validated query parameters. An empty cursor is no cursor. */
export function toPageRequest(query: PagingQuery): {
  limit: number
  order: 'asc' | 'desc'
  before: string | undefined
  after: string | undefined
} {
  return {
    limit: Math.min(query.limit, MAX_PAGE_LIMIT),
    order: query.order,
    before: query.before || undefined,
    after: query.after || undefined,
  }
}
