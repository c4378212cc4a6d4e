import Type from 'typebox'

const MAX_LIMIT = 1000

/** Query parameters of the lists that the vendor's cloud paged by number. */
export const offsetParameters = (limit: number) => ({
  limit: Type.Integer({ minimum: 1, default: limit, description: `Number of items; ${MAX_LIMIT} at most are given` }),
  offset: Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, default: 0 }),
})

export const toOffsetPage = (query: { limit: number; offset: number }): { limit: number; offset: number } => ({
  limit: Math.min(query.limit, MAX_LIMIT),
  offset: query.offset,
})
