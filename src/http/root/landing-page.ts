import { escapeHtml } from './escape-html.ts'
import { LANDING_STYLE } from './landing-style.ts'
import { curlSnippet, pythonSnippet, type SnippetInput, typescriptSnippet } from './snippets.ts'

/** Handles; or why there are none: providers have not answered yet, could not be asked, or the caller may not know. */
export type ModelsShown = readonly string[] | 'asking' | 'failed' | 'hidden'

export interface LandingInput {
  version: string
  engine: 'pglite' | 'postgres'
  /** Address of the server as the caller wrote it, without a slash at the end. */
  url: string
  models: ModelsShown
  defaultModel: string | undefined
  needsKey: boolean
}

const DEMO_MODEL = 'perdure/demo'
const MODELS_AT_ONCE = 12
const ENGINES = { pglite: 'PGlite, embedded', postgres: 'PostgreSQL' }

/** The whole page; everything that comes from outside is escaped. */
export function landingPage(input: LandingInput): string {
  const snippet: SnippetInput = { url: input.url, needsKey: input.needsKey, model: snippetModel(input) }
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Perdure ${escapeHtml(input.version)}</title>
<style>${LANDING_STYLE}</style>
</head>
<body>
<main>
<header>
<h1>Perdure</h1>
<p>A server for stateful LLM agents: memory they edit themselves, runs that survive a crash, the Letta V1 REST API.</p>
</header>
<dl>
<div><dt>Version</dt><dd>${escapeHtml(input.version)}</dd></div>
<div><dt>Database</dt><dd>${ENGINES[input.engine]}</dd></div>
<div><dt>Address</dt><dd><code>${escapeHtml(input.url)}</code></dd></div>
</dl>
<section aria-labelledby="models">
<h2 id="models">Models</h2>
${modelsPart(input.models)}
</section>
<section aria-labelledby="talk">
<h2 id="talk">Talk to an agent</h2>
<p>In a terminal: <code>npx perdure chat --url ${escapeHtml(input.url)}</code></p>
${input.needsKey ? '<p>This server wants its key: set <code>PERDURE_API_KEY</code> in your shell first.</p>' : ''}
${codePart('curl', 'curl', 'Make an agent, tell it something, read what it keeps', curlSnippet(snippet))}
${codePart('typescript', 'TypeScript', 'npm install @letta-ai/letta-client', typescriptSnippet(snippet))}
${codePart('python', 'Python', 'pip install letta-client', pythonSnippet(snippet))}
</section>
<nav aria-label="More">
<ul>
<li><a href="/docs">/docs</a> reference of all operations</li>
<li><a href="/openapi.json">/openapi.json</a> every operation, OpenAPI 3.1</li>
<li><a href="/health">/health</a> alive</li>
<li><a href="/ready">/ready</a> ready, with its database</li>
<li><code>README.md</code>, <code>ARCHITECTURE.md</code>, <code>docs/configuration.md</code> in the repository and the package</li>
</ul>
</nav>
</main>
</body>
</html>
`
}

/** A model that answers for certain: the operator's choice, else the demonstration, else whatever there is. */
function snippetModel({ models, defaultModel }: LandingInput): string {
  if (defaultModel !== undefined) return defaultModel
  if (typeof models === 'string' || models.includes(DEMO_MODEL)) return DEMO_MODEL
  return models[0] ?? DEMO_MODEL
}

const CONFIGURE = `<p>For a language model start the server with one of these, or with any server that speaks the API of OpenAI
(<code>docs/configuration.md</code> has the full list):</p>
<pre tabindex="0" aria-label="How to configure a model"><code>OPENAI_API_KEY=…      npm start
ANTHROPIC_API_KEY=…   npm start
GEMINI_API_KEY=…      npm start
OLLAMA_BASE_URL=http://127.0.0.1:11434 npm start</code></pre>`

function modelsPart(models: ModelsShown): string {
  if (models === 'hidden') return '<p>Shown to those who send the key.</p>'
  if (models === 'asking') return '<p>Asking providers… Load the page again in a moment.</p>'
  if (models === 'failed') return '<p>The providers could not be asked; the log of the server says why.</p>'
  const items = (handles: readonly string[]) =>
    `<ul class="models">${handles.map((handle) => `<li><code>${escapeHtml(handle)}</code></li>`).join('')}</ul>`
  const rest = models.slice(MODELS_AT_ONCE)
  const more = rest.length === 0 ? '' : `<details><summary>${rest.length} more</summary>${items(rest)}</details>`
  const isDemoOnly = models.every((handle) => handle === DEMO_MODEL)
  const demo = '<p><code>perdure/demo</code> is a demonstration that follows a script, not a language model.</p>'
  const advice = isDemoOnly ? `${models.length > 0 ? demo : ''}${CONFIGURE}` : ''
  return `${models.length === 0 ? '<p>None.</p>' : items(models.slice(0, MODELS_AT_ONCE))}${more}${advice}`
}

function codePart(id: string, title: string, hint: string, code: string): string {
  return `<h3 id="${id}">${title}</h3>
<p class="hint">${escapeHtml(hint)}</p>
<pre tabindex="0" aria-labelledby="${id}"><code id="${id}-code">${escapeHtml(code)}</code></pre>`
}
