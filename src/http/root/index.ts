import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { showLandingPage } from './show-landing-page.ts'
import { showReference } from './show-reference.ts'

export function registerRoot(app: App, context: Context): void {
  // public
  showLandingPage(app, context)
  showReference(app)
}
