/** What is written without blanks between words, and Korean, whose particles are part of the word; the database has it as pairs of letters. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー々\p{Script=Hangul}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu
const HANGUL = /^\p{Script=Hangul}+$/u
/** Foreign words, which stand beside others without a blank. */
const KATAKANA = /([\p{Script=Katakana}ー]+)/u
const HIRAGANA_LETTER = /^\p{Script=Hiragana}$/u

/** Words that mean nothing of their own, as "the" does. */
const MEANINGLESS = new Set(
  (
    'から まで より です ます ました ません でした した して いる ある する こと もの これ それ あれ この その あの どこ いつ 何 なに 誰 だれ なぜ どう まし でし たち ' +
    '的 了 是 在 和 有 我 你 您 他 她 它 们 吗 呢 吧 啊 也 都 就 不 这 那 很 与 及 之 什么 哪里 哪 谁 怎么 为什么 我们 你们 他们 她们 这个 那个 个 ' +
    'ที่ และ ของ ใน เป็น มี ได้ ไม่ ว่า จะ ให้ กับ แล้ว ก็ นี้ นั้น คือ อะไร ไหน ฉัน ผม คุณ เขา เธอ เรา ครับ ค่ะ ไหม'
  ).split(' '),
)

/** The words of a word of a query: it is one unless there is something in it that is written without blanks. Those that mean nothing are missing. */
export function splitUnspaced(word: string): string[] {
  const runs = [...word.matchAll(UNSPACED)]
  if (runs.length === 0) return [word]
  const others = word.split(UNSPACED)
  return others.flatMap((other, index) => [other, ...wordsOf(runs[index]?.[0] ?? '')]).filter((part) => part !== '')
}

/** By a dictionary; of Korean every two letters, since there is no telling where a particle begins. */
function wordsOf(run: string): string[] {
  if (HANGUL.test(run)) {
    const letters = [...run]
    return letters.length <= 2 ? [run] : letters.slice(1).map((letter, index) => `${letters[index]}${letter}`)
  }
  const segmenter = new Intl.Segmenter('en', { granularity: 'word' })
  return [...segmenter.segment(run)]
    .filter(({ isWordLike }) => isWordLike === true)
    .flatMap(({ segment }) => segment.split(KATAKANA).filter((part) => part !== ''))
    .filter((segment) => !MEANINGLESS.has(segment) && !HIRAGANA_LETTER.test(segment))
}
