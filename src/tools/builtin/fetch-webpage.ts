import { type BuiltinTool, failure, success } from '#tools/tool.ts'

export const fetchWebpage: BuiltinTool = {
  name: 'fetch_webpage',
  description:
    'Fetch a web page and read it as Markdown: its article without menus and advertisements. Also reads plain text, JSON and XML. It sees public pages only, as somebody who is not logged in.',
  toolType: 'letta_builtin',
  durability: 'read',
  parameters: {
    type: 'object',
    properties: { url: { type: 'string', description: 'Address of the page, beginning with https:// or http://.' } },
    required: ['url'],
  },
  async execute({ url }, { services, signal }) {
    if (services?.pages === undefined) return failure('Web pages cannot be fetched from here.')
    const answer = await services.pages.fetch(String(url).trim(), signal)
    if (answer.kind !== 'page') return failure(answer.problem)
    const note = answer.isCut ? '\n\n[The page goes on here; only its beginning is shown.]' : ''
    const head = answer.title === '' ? '' : `# ${answer.title.replace(/\s+/g, ' ')}\n\n`
    return success(`${head}Source: ${answer.url}\n\n${answer.text.toWellFormed() || '(The page has no text.)'}${note}`)
  },
}
