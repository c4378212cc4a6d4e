import { DIFFERENCES } from '../test/acceptance/differences.ts'
import { findSdkRoutes } from '../test/acceptance/support/find-routes.ts'
import { listTestedOperations } from '../test/acceptance/support/tested-operations.ts'

const HEAD = `# What of V1's API there is

Every operation of the official client \`@letta-ai/letta-client\` 1.12, as the client itself has it (\`npm run gen\` writes this page). *Tested* is an operation that the
client calls in \`test/acceptance\` on a server of its own. \`ACCEPTANCE_URL=http://… npx vitest run test/acceptance\` runs the same tests on any
server.

Programs that call routes without the client find all of them, and what differs in each field, in [wire-differences.json](wire-differences.json), which
\`npm run check-wire\` holds against V1's own OpenAPI document. The API of OpenAI, with agents as models: [openai-api.md](openai-api.md).

| operation | request | status | differs from V1 |
|---|---|---|---|
`

/** `docs/compatibility.md`. Throws for a difference of an operation that the client does not have. */
export async function compatibilityPage(): Promise<string> {
  const routes = await findSdkRoutes()
  const tested = listTestedOperations()
  const unknown = Object.keys(DIFFERENCES).filter((name) => !routes.some((route) => route.operation === name))
  if (unknown.length > 0) throw new Error(`test/acceptance/differences.ts: the client has no ${unknown.join(', ')}`)
  const rows = routes.map(({ operation, method, path }) => {
    const status = tested.has(operation) ? 'tested' : '**not tested**'
    return `| \`${operation}\` | \`${method} ${path}\` | ${status} | ${DIFFERENCES[operation] ?? ''} |`
  })
  const count = routes.filter(({ operation }) => tested.has(operation)).length
  return `${HEAD}${rows.join('\n')}\n\n${count} of ${routes.length} operations are tested.\n`
}
