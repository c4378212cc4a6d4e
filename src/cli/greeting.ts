import type { Config } from '#config/config.ts'
import { formatValue } from '#config/describe-option.ts'
import { VERSION } from '#platform/version.ts'

const DATABASE_URL = {
  key: 'databaseUrl',
  name: '',
  type: 'url',
  schemes: [],
  secret: true,
  group: 'Database',
  doc: '',
} as const

/** What a person reads when the server has started: where it is and how to talk to it. */
export function greeting(config: Config, address: string): string {
  const url = address.replace('0.0.0.0', 'localhost').replace('[::]', 'localhost')
  const store =
    config.databaseUrl === undefined
      ? `embedded database in ${config.dataDir}`
      : `PostgreSQL at ${formatValue(DATABASE_URL, config.databaseUrl)}`
  const key = config.apiKey === undefined ? '' : ` -H "authorization: Bearer $PERDURE_API_KEY"`
  const agent = `{"model":"perdure/demo","memory_blocks":[{"label":"human","value":""},{"label":"persona","value":"I am Ada."}]}`
  return `
  Perdure ${VERSION} on ${url}, ${store}

  Talk to an agent here:   npx perdure chat${url.endsWith(':8283') ? '' : ` --url ${url}`}
  or create one:           curl ${url}/v1/agents/${key} -H 'content-type: application/json' -d '${agent}'
  or use the SDK:          new Letta({ baseURL: '${url}' }) of @letta-ai/letta-client
  In a browser:            ${url}

`
}
