import type { App } from './app.ts'

/** The OpenAPI 3.1 document of a built server: what `npm run gen` writes to `openapi.json`. */
export async function openApiDocument(app: App): Promise<object> {
  await app.ready()
  return app.swagger()
}
