export interface XmlTag {
  /** With its prefix, such as `a:t`. */
  name: string
  isEnd: boolean
  isEmpty: boolean
  /** What stands between the name and the end of the tag. */
  rest: string
}

/** Tags and texts of an XML document in their order, read once. Without definitions of entities, which are refused before. */
export function* xmlTokens(xml: string): Generator<XmlTag | string> {
  for (const [, tag, text] of xml.matchAll(/<([^<>]*)>|([^<]+)/g)) {
    if (text !== undefined) yield decodeEntities(text)
    else if (tag !== undefined && !/^[?!]/.test(tag)) {
      const isEmpty = tag.endsWith('/')
      const isEnd = tag.startsWith('/')
      const [name = ''] = /^[^\s/]+/.exec(isEnd ? tag.slice(1) : tag) ?? []
      yield { name, isEnd, isEmpty, rest: tag.slice(name.length + (isEnd ? 1 : 0)) }
    }
  }
}

/** The value of an attribute, or undefined. */
export function attributeOf(tag: XmlTag, name: string): string | undefined {
  const found = new RegExp(`\\s${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(tag.rest)
  const value = found?.[1] ?? found?.[2]
  return value === undefined ? undefined : decodeEntities(value)
}

const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }

function decodeEntities(text: string): string {
  return text.replace(/&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|(\w{2,4}));/gi, (all, hex, decimal, name) => {
    if (name !== undefined) return ENTITIES[name] ?? all
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16)
    return code <= 0x10ffff ? String.fromCodePoint(code) : all
  })
}
