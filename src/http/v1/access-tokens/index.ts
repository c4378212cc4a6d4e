import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { createAccessToken } from './create-access-token.ts'
import { deleteAccessToken } from './delete-access-token.ts'
import { listAccessTokens } from './list-access-tokens.ts'

export function registerAccessTokens(app: App, context: Context): void {
  // access-tokens:read
  listAccessTokens(app, context)

  // access-tokens:write
  createAccessToken(app, context)
  deleteAccessToken(app, context)
}
