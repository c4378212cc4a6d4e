import { randomBytes } from 'node:crypto'
import { deflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { docxParts, makeDocx, makePdf, makePptx, makeXlsx, zipOf } from '../../../../test/support/documents.ts'
import type { DocumentFormat } from './document-format.ts'
import { ParserKilled, type ParserLimits, parseDocument } from './parse-document.ts'
import { UnreadableFile } from './unreadable-file.ts'

const signal = new AbortController().signal
const LIMITS: ParserLimits = { timeoutMs: 60_000, heapMb: 512, memoryMb: 1024, replyBytes: 100_000_000 }

async function* inParts(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
}
const parse = (format: DocumentFormat, bytes: Uint8Array, limits: Partial<ParserLimits> = {}) =>
  parseDocument(inParts(bytes), format, signal, { ...LIMITS, ...limits })
const textOf = async (format: DocumentFormat, bytes: Uint8Array) => (await parse(format, bytes)).text
/** Why a file is refused. */
async function refusal(format: DocumentFormat, bytes: Uint8Array): Promise<string> {
  const error = await parse(format, bytes).catch((problem: unknown) => problem)
  expect(error).toBeInstanceOf(UnreadableFile)
  return (error as Error).message
}

describe('formats', () => {
  test('text keeps its lines, the empty ones too', async () => {
    const text = `\tfirst\n\n\n  fourth 🐙\r\n${'x'.repeat(3_000_000)}\n`
    const parsed = await parse('text', Buffer.from(text))
    expect(parsed.text).toBe(text)
    expect(parsed.lineCount).toBe(5)
    expect(parsed.pieces[0]).toEqual({ startLine: 1, endLine: 4, text: '\tfirst\n\n\n  fourth 🐙' })
  })

  test('a pair of surrogates on the seam between two pieces of the reply', async () => {
    const text = `${'a'.repeat(1024 * 1024 - 1)}🐙`
    expect(await textOf('text', Buffer.from(text))).toBe(text)
  })

  test('HTML is Markdown, whole and without scripts', async () => {
    const html = `<title>t</title><nav>menu</nav><h1>Boats</h1><p>A <b>red</b> boat</p>
      <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table><script>steal()</script>`
    const text = await textOf('html', Buffer.from(html))
    expect(text).toContain('menu')
    expect(text).toContain('# Boats\n\nA **red** boat')
    expect(text).toMatch(/\| 1 +\| 2 +\|/)
    expect(text).not.toContain('steal')
  })

  test('DOCX: headings, paragraphs, tables', async () => {
    const text = await textOf(
      'docx',
      makeDocx([
        '# Title',
        'Grüße & <more> 🐙',
        [
          ['name', 'sum'],
          ['Ann', '7'],
        ],
      ]),
    )
    expect(text).toMatch(/^# Title\n\nGrüße & <more> 🐙\n\n\| name \| sum \|\n\| --- \| --- \|\n\| Ann +\| 7 +\|$/)
  })

  test('PPTX: slides in the order of the show, tables, notes, no slide numbers', async () => {
    const slides = [
      { title: 'First', lines: ['one', 'two & three'], notes: 'Say hello.' },
      {
        title: 'Second',
        lines: [],
        table: [
          ['a', 'b'],
          ['1', ''],
        ],
      },
    ]
    expect(await textOf('pptx', makePptx(slides))).toBe(
      '## Slide 1: First\n\none\n\ntwo & three\n\n### Notes\n\nSay hello.\n\n## Slide 2: Second\n\n| a | b |\n| --- | --- |\n| 1 |  |',
    )
  })

  test('XLSX: sheets, dates, values of formulas', async () => {
    const rows = [
      ['name', 'born', 'sum', null, 'ok'],
      ['Ann | B\nC', new Date('1994-07-01T00:00:00Z'), { formula: '40+2', result: 42 }, null, true],
      [null, new Date('2026-12-01T13:30:00Z'), 0.25, null, false],
    ]
    expect(await textOf('xlsx', await makeXlsx({ People: rows, Empty: [] }))).toBe(
      [
        '## People',
        '',
        '| name | born | sum | ok |',
        '| --- | --- | --- | --- |',
        '| Ann \\| B C | 1994-07-01 | 42 | TRUE |',
        '|  | 2026-12-01 13:30:00 | 0.25 | FALSE |',
        '',
        '## Empty',
      ].join('\n'),
    )
  })

  test('PDF: pages with their lines', async () => {
    const pdf = makePdf([['Hello (PDF)', 'second line'], ['another page']])
    expect(await textOf('pdf', pdf)).toBe('## Page 1\n\nHello (PDF)\nsecond line\n\n## Page 2\n\nanother page')
  })
})

/** The central directory of a zip file, changed at `offset` of its first entry. */
function forge(zip: Uint8Array, offset: number, value: number): Uint8Array {
  const file = Buffer.from(zip)
  const at = file.indexOf(Buffer.from([0x50, 0x4b, 1, 2]))
  file.writeUInt32LE(value, at + offset)
  return file
}
const PACKED = 20
const UNPACKED = 24
const LOCAL_OFFSET = 42
const zeros = (bytes: number): Uint8Array => new Uint8Array(bytes)

describe('hostile files are refused, with the reason', () => {
  test('broken, empty, or something else', async () => {
    const docx = makeDocx(['text'])
    for (const format of ['docx', 'pptx', 'xlsx'] as const) {
      expect(await refusal(format, Buffer.from(''))).toMatch(/no Office document/)
      expect(await refusal(format, randomBytes(5_000))).toMatch(/no Office document/)
      expect(await refusal(format, docx.subarray(0, docx.length - 200))).toMatch(/ends too early/)
      if (format !== 'docx') expect(await refusal(format, docx)).toMatch(/it has no (ppt|xl)\//)
    }
    const damaged = Buffer.from(docx)
    const inside = damaged.indexOf('word/document.xml') + 40
    damaged.writeUInt8(damaged.readUInt8(inside) ^ 0xff, inside)
    expect(await refusal('docx', damaged)).toMatch(/document\.xml is (damaged|larger)/)
    for (const pdf of [Buffer.from(''), Buffer.from('%PDF-1.7'), randomBytes(5_000)]) {
      expect(await refusal('pdf', pdf)).toMatch(/broken, or no PDF/)
    }
  })

  test('encrypted', async () => {
    const compound = Buffer.concat([Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]), zeros(2_000)])
    for (const format of ['docx', 'pptx', 'xlsx'] as const) {
      expect(await refusal(format, compound)).toMatch(/password/)
    }
    const keys = `(${'k'.repeat(32)})`
    const encrypt = `<</Filter/Standard/V 1/R 2/Length 40/O${keys}/U${keys}/P -4>>`
    const pdf = makePdf([['secret']], { objects: [encrypt], trailer: '/Encrypt 6 0 R/ID[(a)(a)]' })
    expect(await refusal('pdf', pdf)).toMatch(/password/)
  })

  test('a PDF that is pictures only, or has too many pages', async () => {
    expect(await refusal('pdf', makePdf([[]]))).toMatch(/no text, only pictures/)
    const pages = Array.from({ length: 5_001 }, () => ['x'])
    expect(await refusal('pdf', makePdf(pages))).toMatch(/5001 pages, more than 5000/)
  })

  test('a PDF that claims 2 GB, or a thousand million pages, is what it is', async () => {
    const small = makePdf([['small']]).toString()
    const claim = (what: RegExp, lie: string) => Buffer.from(small.replace(what, lie))
    for (const lie of [claim(/\/Length \d+/, '/Length 2147483647'), claim(/\/Count 1/, '/Count 2000000000')]) {
      expect(lie.toString()).not.toBe(small)
      expect(await textOf('pdf', lie)).toBe('## Page 1\n\nsmall')
    }
  })

  test('a PDF whose pages unpack to 2 GB is ended, not read', async () => {
    const lines = `BT /F1 12 Tf 10 700 Td (${'x'.repeat(1_000)}) Tj ET\n`.repeat(1_000)
    // deflated twice: 2 GB of it are some kB
    const inner = deflateSync(Buffer.from(lines.repeat(200)), { level: 9 })
    const packed = deflateSync(inner, { level: 9 })
    const stream = `<</Length ${packed.length}/Filter[/FlateDecode/FlateDecode]>>stream\n${packed.toString('latin1')}\nendstream`
    const contents = Array.from({ length: 10 }, () => '5 0 R').join(' ')
    const pages = makePdf([['x']]).toString('latin1')
    const bomb = Buffer.from(
      pages
        .replace(/<<\/Length \d+>>stream[\s\S]*?endstream/, () => stream)
        .replace('/Contents 5 0 R', `/Contents[${contents}]`),
      'latin1',
    )
    expect(bomb.length).toBeLessThan(100_000)
    await expect(parse('pdf', bomb, { memoryMb: 700 })).rejects.toThrow(
      /^it (took too much memory|took longer|has too much)/,
    )
  })

  test('zip bombs, honest ones and liars', async () => {
    const parts = docxParts(['text'])
    const bomb = zipOf({ 'a.xml': zeros(100_000_000), ...parts })
    expect(bomb.length).toBeLessThan(200_000)
    expect(await refusal('docx', bomb)).toMatch(/unpacked it says to have 9\d MB/)
    const modest = zipOf({ 'a.xml': zeros(100_000_000) })
    const liar = Buffer.concat([zipOf({ 'a.xml': zeros(50_000_000), ...parts })])
    expect(await refusal('docx', forge(liar, UNPACKED, 1_000))).toMatch(/a\.xml is larger than the file says/)
    expect(await refusal('xlsx', forge(modest, UNPACKED, 0xfffffff0))).toMatch(
      /refused: unpacked it says to have 4096 MB/,
    )
    expect(await refusal('xlsx', forge(modest, PACKED, 0x7fffffff))).toMatch(/ends too early|unpacked it says/)
    expect(await refusal('docx', forge(zipOf(parts), LOCAL_OFFSET, 0x7fffffff))).toMatch(/leads out of it/)
    const end = Buffer.from(zipOf(parts))
    end.writeUInt32LE(0x7fffffff, end.length - 6)
    expect(await refusal('docx', end)).toMatch(/leads out of it/)
  })

  test('entities that multiply, macros, names that lead out', async () => {
    const lol = Array.from({ length: 9 }, (_, n) => `<!ENTITY l${n + 1} "${`&l${n};`.repeat(10)}">`).join('')
    const xml = `<?xml version="1.0"?><!DOCTYPE d [<!ENTITY l0 "lol">${lol}]><w:document>&l9;</w:document>`
    const parts = docxParts(['text'])
    expect(await refusal('docx', zipOf({ ...parts, 'word/document.xml': xml }))).toMatch(/defines entities/)
    expect(await refusal('docx', zipOf({ ...parts, 'word/vbaProject.bin': 'x' }))).toMatch(/macros/)
    for (const name of ['../../x.xml', '/etc/x.xml', 'C:\\x.xml', 'word/..\\..\\x.xml', 'a\0b.xml']) {
      expect(await refusal('docx', zipOf({ ...parts, [name]: 'x' }))).toMatch(/leads out of it/)
    }
  })

  test('too much of anything', async () => {
    const manyParts = Object.fromEntries(Array.from({ length: 20_001 }, (_, index) => [`p${index}`, '']))
    expect(await refusal('docx', zipOf({ ...docxParts([]), ...manyParts }))).toMatch(/parts, more than 20000/)
    const cells = `<row r="1">${'<c r="A1"><v>1</v></c>'.repeat(1_000_001)}</row>`
    const sheet = {
      'xl/workbook.xml': '<workbook/>',
      'xl/worksheets/sheet1.xml': cells + randomBytes(200_000).toString('hex'),
    }
    expect(await refusal('xlsx', zipOf(sheet))).toMatch(/1000001 cells, more than 1000000/)
  })
})

describe('the process', () => {
  test('is killed when it takes too long, too much memory, or nobody wants it any more', async () => {
    const large = Buffer.alloc(30_000_000, 'a\n')
    await expect(parse('text', large, { timeoutMs: 1 })).rejects.toThrow(ParserKilled)
    await expect(parse('text', large, { heapMb: 20 })).rejects.toThrow('it took too much memory to read')
    await expect(parse('text', large, { replyBytes: 1_000_000 })).rejects.toThrow('it has too much text')
    if (process.platform === 'linux') {
      await expect(parse('text', large, { memoryMb: 20 })).rejects.toThrow('it took too much memory to read')
    }
    const stop = new AbortController()
    const stopped = parseDocument(inParts(large), 'text', stop.signal)
    stop.abort(new Error('not wanted'))
    await expect(stopped).rejects.toThrow('not wanted')
  })

  test('hears of a source that breaks', async () => {
    async function* torn(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('a')
      throw new Error('the database is gone')
    }
    await expect(parseDocument(torn(), 'text', signal)).rejects.toThrow('the database is gone')
  })
})
