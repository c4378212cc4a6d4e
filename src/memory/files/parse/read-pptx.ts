import { posix } from 'node:path'
import { markdownTable } from './markdown-table.ts'
import { readOffice } from './read-office.ts'
import { UnreadableFile } from './unreadable-file.ts'
import { attributeOf, xmlTokens } from './xml-tokens.ts'

const MAX_SLIDES = 5_000

/** A presentation as Markdown: its slides in the order of the show, with tables and the speaker's notes. Throws UnreadableFile. */
export function readPptx(bytes: Uint8Array): string {
  const parts = readOffice(bytes, 'ppt/presentation.xml')
  const slides = listSlides(parts)
  if (slides.length > MAX_SLIDES) {
    throw new UnreadableFile(`The file has ${slides.length} slides, more than ${MAX_SLIDES}. Split it.`)
  }
  return slides.map((name, index) => slideToMarkdown(parts, name, index + 1)).join('\n\n')
}

type Parts = ReadonlyMap<string, Uint8Array>
const textOf = (parts: Parts, name: string): string => new TextDecoder().decode(parts.get(name))

interface Relation {
  type: string
  target: string
}

/** What a part refers to, by id. */
function relationsOf(parts: Parts, name: string): Map<string, Relation> {
  const folder = posix.dirname(name)
  const relations = new Map<string, Relation>()
  for (const token of xmlTokens(textOf(parts, `${folder}/_rels/${posix.basename(name)}.rels`))) {
    if (typeof token === 'string' || token.name !== 'Relationship') continue
    const target = attributeOf(token, 'Target') ?? ''
    const path = target.startsWith('/') ? target.slice(1) : posix.join(folder, target)
    relations.set(attributeOf(token, 'Id') ?? '', { type: attributeOf(token, 'Type') ?? '', target: path })
  }
  return relations
}

function listSlides(parts: Parts): string[] {
  const relations = relationsOf(parts, 'ppt/presentation.xml')
  const names: string[] = []
  for (const token of xmlTokens(textOf(parts, 'ppt/presentation.xml'))) {
    if (typeof token === 'string' || token.name !== 'p:sldId' || token.isEnd) continue
    const name = relations.get(attributeOf(token, 'r:id') ?? '')?.target
    if (name !== undefined && parts.has(name)) names.push(name)
  }
  return names
}

function slideToMarkdown(parts: Parts, name: string, number: number): string {
  const { title, paragraphs } = readShapes(textOf(parts, name))
  const notes = [...relationsOf(parts, name).values()].find(({ type }) => type.endsWith('/notesSlide'))
  const spoken = notes === undefined ? [] : readShapes(textOf(parts, notes.target)).paragraphs
  const heading = title === '' ? `## Slide ${number}` : `## Slide ${number}: ${title}`
  return [heading, ...paragraphs, ...(spoken.length === 0 ? [] : ['### Notes', ...spoken])].join('\n\n')
}

/** Kinds of places on a slide that say nothing of its content. */
const EMPTY_PLACES = /^(sldNum|dt|ftr|hdr|sldImg)$/

function readShapes(xml: string): { title: string; paragraphs: string[] } {
  const titles: string[] = []
  const paragraphs: string[] = []
  let place = ''
  let paragraph = ''
  let isText = false
  let rows: string[][] | undefined
  for (const token of xmlTokens(xml)) {
    if (typeof token === 'string') {
      if (isText) paragraph += token
      continue
    }
    const isStart = !token.isEnd
    switch (token.name) {
      case 'p:sp':
        place = ''
        break
      case 'p:ph':
        if (isStart) place = attributeOf(token, 'type') ?? 'body'
        break
      case 'a:t':
        isText = isStart && !token.isEmpty
        break
      case 'a:br':
      case 'a:tab':
        if (isStart) paragraph += ' '
        break
      case 'a:tbl':
        if (isStart) rows = []
        else if (rows !== undefined) {
          paragraphs.push(markdownTable(rows))
          rows = undefined
        }
        break
      case 'a:tr':
        if (isStart) rows?.push([])
        break
      case 'a:tc':
        if (isStart) rows?.at(-1)?.push('')
        break
      case 'a:p': {
        if (isStart) {
          paragraph = ''
          break
        }
        const said = paragraph.trim()
        const row = rows?.at(-1)
        if (said === '' || EMPTY_PLACES.test(place)) break
        if (row !== undefined && row.length > 0) row.push([row.pop(), said].filter(Boolean).join(' '))
        else if (/^(title|ctrTitle)$/.test(place)) titles.push(said)
        else paragraphs.push(said)
      }
    }
  }
  return { title: titles.join(' '), paragraphs }
}
