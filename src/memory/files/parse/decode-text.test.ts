import { expect, test } from 'vitest'
import { charsetOfHtml } from '#platform/html-charset.ts'
import { decodeText } from './decode-text.ts'

/** Of an encoding with one byte for each character. */
function encode(text: string, encoding: string): Uint8Array {
  const decoder = new TextDecoder(encoding)
  const byteOf = new Map(Array.from({ length: 256 }, (_, byte) => [decoder.decode(Uint8Array.of(byte)), byte]))
  return Uint8Array.from(text, (character) => byteOf.get(character) ?? 0)
}

const POLISH =
  'Łódź jest czerwona i stoi w porcie. Pojedziemy tam jutro rano, jeśli pogoda będzie ładna, i zjemy żurek.'
const RUSSIAN = 'Лодка красная и стоит в гавани. Мы поедем туда завтра утром, если погода будет хорошей.'
const LETTER =
  'Уважаемые коллеги! Напоминаем, что отчёт за квартал нужно сдать до пятницы. Просим проверить цифры и подписи. С уважением, Анна.'
const GREEK = 'Το σκάφος είναι κόκκινο και βρίσκεται στο λιμάνι. Θα πάμε εκεί αύριο το πρωί.'

test.each([
  ['windows-1252', 'Grüße – 10 €'],
  ['windows-1252', 'Müller'],
  ['windows-1252', 'Le bateau est très élégant, garé à côté du café. Nous irons là-bas demain à l’aube.'],
  ['windows-1252', 'El año pasado la señora compró un barco en Málaga. ¿Dónde está ahora?'],
  ['windows-1252', 'Name;Straße;Ort\nMüller;Hauptstraße 5;Köln\nSchröder;Am Bühl 7;Würzburg\n'],
  ['windows-1252', 'int main() { // Größe der Schlüssel\n  return 0;\n}\n'],
  ['windows-1252', 'Báturinn er rauður og stendur í höfninni. Við förum þangað á morgun ef veðrið er gott, ægir.'],
  ['windows-1250', POLISH],
  ['iso-8859-2', POLISH],
  ['windows-1251', RUSSIAN],
  ['windows-1251', 'Привет, мир'],
  ['windows-1251', 'for (const value of values) { // сумма всех значений за выбранный период\n  total += value\n}\n'],
  ['koi8-r', LETTER],
  ['windows-1253', GREEK],
  ['windows-1254', 'Tekne kırmızı ve limanda duruyor. Hava güzel olursa yarın sabah oraya gideceğiz, şöyle böyle.'],
  ['windows-1255', 'הסירה אדומה ועומדת בנמל. ניסע לשם מחר בבוקר אם מזג האוויר יהיה טוב.'],
  ['windows-1256', 'القارب أحمر ويقف في الميناء. سنذهب إلى هناك صباح الغد إذا كان الطقس جيدا.'],
])('%s: %s', (encoding, text) => {
  expect(decodeText(encode(text, encoding))).toBe(text)
})

test.each([
  ['shift_jis', 'ボートは赤くて、港に停まっています。', 'g3uBW4Nngs2Q1IKtgsSBQY1ggsmS4oLcgsGCxIKigtyCt4FC'],
  ['euc-jp', 'ボートは赤くて、港に停まっています。', 'pdyhvKXIpM/A1qSvpMahornBpMvE5KTepMOkxqSkpN6kuaGj'],
  ['euc-kr', '배는 빨간색이고 항구에 있습니다.', 'uei0wiC7obCju/bAzLDtIMfXsbi/oSDA1r3AtM+02S4='],
  ['gb18030', '船是红色的，停在港口。', 'tKzKx7rsyau1xKOszaPU2rjbv9qhow=='],
  ['big5', '船是紅色的，停在港口。', 'su6sT6z1puKquqFBsLGmYrTkpGahQw=='],
])('%s: %s', (_, text, bytes) => {
  expect(decodeText(Buffer.from(bytes, 'base64'))).toBe(text)
})

test.each([
  'Größe',
  'José',
  'García',
  'Köln',
  'Göteborg',
  'Räksmörgås',
  'Café',
  'naïve',
  'Zoë',
  'Ærø',
  'Peña',
  'garçon',
  'über',
])('one word of Western Europe in a line of ASCII: %s', (word) => {
  for (const line of [`The order of ${word} was shipped.`, `id;name\n1;${word}\n`, `const name = "${word}"\n`]) {
    expect(decodeText(encode(line, 'windows-1252'))).toBe(line)
  }
})

test.each([
  ['gb18030', '船是红色的，停在港口。', 'tKzKx7rsyau1xKOszaPU2rjbv9qhow=='],
  ['euc-jp', 'ボートは赤くて、港に停まっています。', 'pdyhvKXIpM/A1qSvpMahornBpMvE5KTepMOkxqSkpN6kuaGj'],
  ['shift_jis', 'ボートは赤くて、港に停まっています。', 'g3uBW4Nngs2Q1IKtgsSBQY1ggsmS4oLcgsGCxIKigtyCt4FC'],
  ['big5', '船是紅色的，停在港口。', 'su6sT6z1puKquqFBsLGmYrTkpGahQw=='],
])('%s in paragraphs that are long', (_, text, bytes) => {
  for (const count of [50, 51, 200, 3_000]) {
    const paragraph = Buffer.concat([
      ...Array.from({ length: count }, () => Buffer.from(bytes, 'base64')),
      Buffer.from('\n'),
    ])
    expect(decodeText(Buffer.concat([paragraph, paragraph]))).toBe(`${text.repeat(count)}\n`.repeat(2))
  }
})

test.each(['\n', ', '])('letters that come late in a long file decide too, in little time (%j)', (end) => {
  const head = `id;value${end}`.repeat(2_000_000)
  const began = performance.now()
  const bytes = Buffer.concat([Buffer.from(head), encode(RUSSIAN, 'windows-1251')])
  expect(decodeText(bytes).slice(head.length)).toBe(RUSSIAN)
  expect(performance.now() - began).toBeLessThan(10_000)
})

test('what a page names counts, unless it is UTF-8 all the same', () => {
  const decode = (bytes: Uint8Array) => decodeText(bytes, charsetOfHtml(bytes))
  for (const [encoding, word] of [
    ['windows-1254', 'şöyle'],
    ['iso-8859-2', 'Łódź'],
    ['koi8-r', 'Мир'],
  ] as const) {
    const page = `<html><meta charset="${encoding}"><body>${word}</body></html>`
    expect(decode(encode(page, encoding))).toBe(page)
    expect(decode(Buffer.from(page))).toBe(page)
  }
  const unknown = '<html><meta charset="klingon-1"><body>Café</body></html>'
  expect(decode(encode(unknown, 'windows-1252'))).toBe(unknown)
})

test('UTF-8 stays what it is, with a broken byte too, and so does what is no text', () => {
  expect(decodeText(Buffer.from(`\ufeff${RUSSIAN}`))).toBe(RUSSIAN)
  expect(decodeText(Buffer.from([...Buffer.from(RUSSIAN), 0xff]))).toBe(`${RUSSIAN}\ufffd`)
  expect(decodeText(Buffer.from([0xff, 0xfe, 0x41, 0x04]))).toBe('с')
  expect(decodeText(Buffer.from([0x80, 0x00, 0x81, 0x41]))).toBe('\ufffd\ufffd\ufffdA')
  expect(decodeText(Buffer.from([]))).toBe('')
})
