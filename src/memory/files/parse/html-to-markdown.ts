// @ts-expect-error it comes without types
import gfm from '@joplin/turndown-plugin-gfm'
import { Readability } from '@mozilla/readability'
import { parseHTML } from 'linkedom'
import TurndownService from 'turndown'

type Document = ReturnType<typeof parseHTML>['document']

export interface MarkdownPage {
  title: string
  markdown: string
}

/** Elements whose content is nothing to read. */
const NO_TEXT =
  'script, style, noscript, template, iframe, object, embed, svg, canvas, form button, input, select, dialog'
/** Elements around the content of a page. */
const AROUND = 'nav, header nav, footer, aside, [role="navigation"], [aria-hidden="true"], [hidden]'
/** An article of fewer characters than this, on a page with more text than this many times as much, is not what was looked for. */
const MIN_ARTICLE_CHARACTERS = 200
const MIN_ARTICLE_PART = 0.1
/** Levels of elements up to which an article is looked for: the search takes the third power of it. Real pages have up to about 40. */
const MAX_ARTICLE_DEPTH = 100
/** Levels up to which a page is parsed at all. */
const MAX_DEPTH = 2_000

/**
 * What is to be read on a page, as Markdown with absolute links: its article, or everything where none is found. Pages that no parser can
 * read, such as those nested without end, are given as bare text. Takes time and memory as the page likes: for a thread that can be ended.
 */
export function htmlToMarkdown(html: string, url: string): MarkdownPage {
  const depth = depthOf(html)
  try {
    if (depth <= MAX_DEPTH) return convert(html, url, depth)
  } catch {
    // what the parsers cannot take is read without them
  }
  return { title: bareTitle(html), markdown: bareText(html) }
}

/** All that is to be read in a file of HTML, not its article alone; addresses stay as they are written. */
export function wholeHtmlToMarkdown(html: string): string {
  try {
    if (depthOf(html) <= MAX_DEPTH) {
      const { body } = withoutScripts(read(html))
      const markdown = toMarkdown(body.innerHTML)
      if (markdown !== '') return markdown
    }
  } catch {
    // what the parsers cannot take is read without them
  }
  return bareText(html)
}

function withoutScripts(document: Document): Document {
  for (const element of document.querySelectorAll(NO_TEXT)) element.remove()
  for (const image of document.querySelectorAll('img[src^="data:"]')) image.removeAttribute('src')
  for (const link of document.querySelectorAll('a[href^="javascript:"]')) link.removeAttribute('href')
  return document
}

/** Elements that have no end, or end by themselves where the next one begins. */
const UNNESTED =
  /^(area|base|br|col|embed|hr|img|input|link|meta|param|source|track|wbr|p|li|td|th|tr|tbody|thead|tfoot|dt|dd|option)$/

/** How deep elements stand in each other, at most; counted from the tags alone. */
function depthOf(html: string): number {
  let depth = 0
  let deepest = 0
  for (const [, slash, name = ''] of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)/gi)) {
    if (UNNESTED.test(name.toLowerCase())) continue
    depth = slash === '/' ? Math.max(depth - 1, 0) : depth + 1
    if (depth > deepest) deepest = depth
  }
  return deepest
}

function convert(html: string, url: string, depth: number): MarkdownPage {
  const whole = read(html)
  const title = whole.querySelector('title')?.textContent?.trim() ?? ''
  const base = baseOf(whole, url)
  clean(whole, base)
  const everything = (whole.body?.textContent ?? '').trim().length
  const article = depth <= MAX_ARTICLE_DEPTH ? findArticle(html, base) : null
  const length = article?.textContent?.trim().length ?? 0
  const isArticle = length >= MIN_ARTICLE_CHARACTERS ? length >= everything * MIN_ARTICLE_PART : length === everything
  if (isArticle && article?.content) {
    return { title: article.title?.trim() || title, markdown: toMarkdown(article.content) }
  }
  for (const element of whole.querySelectorAll(AROUND)) element.remove()
  const markdown = toMarkdown(whole.body.innerHTML)
  return { title, markdown: markdown === '' ? bareText(html) : markdown }
}

/** The search takes its document apart, so it gets one of its own. */
function findArticle(html: string, base: string) {
  const document = read(html)
  clean(document, base)
  return new Readability(document).parse()
}

/** A whole document, also of a piece of one. */
function read(html: string): Document {
  if (/<(html|body)[\s>]/i.test(html)) return parseHTML(html).document
  const [title = ''] = /<title[^<>]*>[^<]*<\/title\s*>/i.exec(html) ?? []
  return parseHTML(`<html><head>${title}</head><body>${html.replace(title, '')}</body></html>`).document
}

function baseOf(document: Document, url: string): string {
  const href = document.querySelector('base')?.getAttribute('href')
  return (href ? URL.parse(href, url)?.href : undefined) ?? url
}

function clean(document: Document, base: string): void {
  withoutScripts(document)
  for (const [selector, name] of [
    ['a[href]', 'href'],
    ['img[src]', 'src'],
  ] as const) {
    for (const element of document.querySelectorAll(selector)) {
      const target = URL.parse(element.getAttribute(name) ?? '', base)
      // pictures within the page are long and nothing to read, and scripts are no places
      if (target !== null && /^(https?|mailto):$/.test(target.protocol)) element.setAttribute(name, target.href)
      else element.removeAttribute(name)
    }
  }
}

function toMarkdown(html: string): string {
  const turndown = new TurndownService({ headingStyle: 'atx', codeBlockStyle: 'fenced', bulletListMarker: '-' })
  turndown.use(gfm.gfm)
  return turndown
    .turndown(html)
    .replace(/\n{3,}/g, '\n\n')
    .trim()
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }

/** Without its tags, read from the beginning to the end once. */
export function bareText(html: string): string {
  return html
    .replace(/<(title|script|style|noscript|template|svg)\b[^<>]*>[\s\S]*?(<\/\1\s*>|$)/gi, ' ')
    .replace(/<!--[\s\S]*?(-->|$)/g, ' ')
    .replace(/<\/?(p|div|br|li|tr|h[1-6]|section|article|table|ul|ol)\b[^<>]*>/gi, '\n')
    .replace(/<[a-z!/?][^<>]*>?/gi, '')
    .replace(/&(amp|lt|gt|quot|apos|nbsp);/g, (_, name: string) => ENTITIES[name] ?? '')
    .replace(/[ \t\r\f]+/g, ' ')
    .replace(/ ?\n[ \n]*/g, '\n')
    .trim()
}

const bareTitle = (html: string): string => bareText(/<title[^>]*>([^<]*)/i.exec(html)?.[1] ?? '')
