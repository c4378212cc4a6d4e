import type { Context } from '#context.ts'
import type { App } from '#http/app.ts'
import { showLandingPage } from './show-landing-page.ts'

export function registerRoot(app: App, context: Context): void {
  // public
  showLandingPage(app, context)
}
