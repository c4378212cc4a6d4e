import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { factKey } from './fact-key.ts'
import { factWords } from './fact-words.ts'

const SAME: [string, string, string][] = [
  ['case', 'The boat is called Aurora', 'the BOAT is called AURORA'],
  ['blanks and line ends', 'Bob likes  tea\n', '\tBob\u00a0likes\r\ntea'],
  ['a full stop', 'Bob likes tea.', 'Bob likes tea'],
  ['commas and brackets', 'Bob, who likes tea (green), is ill!', 'Bob who likes tea green is ill'],
  ['the hyphen', 'a well-known poet', 'a well known poet'],
  ['quotes', 'He said “hello” to Bob', 'He said "hello" to \'Bob\''],
  ['composed and decomposed', 'Café in Zu\u0308rich', 'Cafe\u0301 in Zürich'],
  ['full width', 'Ｂｏｂ　ｌｉｋｅｓ　ｔｅａ', 'Bob likes tea'],
  ['ligatures', 'the ﬁrst oﬃce', 'the first office'],
  ['marks that nobody sees', 'Bob\u200b likes\ufeff te\u00ada', 'Bob likes tea'],
  ['emphasis', '**Bob** likes `tea` and _milk_', 'Bob likes tea and milk'],
  ['Chinese', '東京タワーは赤い。', '東京タワーは赤い'],
  ['Cyrillic', 'Мама мыла раму!', 'мама мыла раму'],
  ['"the"', "The user's favourite colour is blue", "User's favorite color: blue."],
  ['an attribute with a colon', "User's name: Chad", "The user's name is Chad."],
  ['an attribute and a number', 'Phone number: 555-0101', 'The phone number is 555-0101'],
  ['contractions', "It's raining and Bob isn't here", 'It is raining and Bob is not here.'],
  ['cannot', "Ada can't swim", 'Ada cannot swim'],
  ['an apostrophe of another form', 'Bob’s dog', "Bob's dog"],
  ['emphasising words', 'Bob really likes hiking, actually', 'Bob likes hiking'],
  ['also', 'The user also likes tea', 'User likes tea'],
  ['American spelling', 'Ada organises her neighbours', 'Ada organizes her neighbors'],
  ['number words', 'Bob has three cats', 'Bob has 3 cats'],
  ['the day of a month', 'The party is on May 5th', 'party is on May 5'],
  ['a date in another order', 'Deadline: March 15, 2025', 'The deadline is 15th March 2025'],
  ['a month cut short', 'It begins on 3 Sept', 'It begins on September 3rd'],
  ['the hour', 'Lunch with Sarah at 3pm', 'Lunch with Sarah at 3:00 PM'],
  ['as a', 'Bob works as a cook', 'Bob works as cook'],
  ['that', 'Bob mentioned that he has two kids', 'Bob mentioned he has 2 kids'],
  ['e-mail and Wi-Fi', 'Wi-Fi password: hunter2', 'The wifi password is hunter2'],
  ['the day of a week', 'The party starts on Monday', 'The party starts Monday'],
  ['and', 'salt & pepper', 'salt and pepper'],
  ['every and each', 'Bob runs each morning', 'Bob runs every morning.'],
  [
    'a longer text',
    'On 3 May 2024, Ada moved to Oslo; she works at the museum.',
    'On 3 May 2024 Ada moved to Oslo. She works at museum',
  ],
]

const OTHER: [string, string, string][] = [
  ['a digit', "Bob's number is 555-0101", "Bob's number is 555-0102"],
  ['a decimal point', 'The dose is 3.5 mg', 'The dose is 35 mg'],
  ['a sign', 'It is -5 degrees', 'It is 5 degrees'],
  ['an exponent', 'There are 10² of them', 'There are 102 of them'],
  ['a currency', 'It costs $5', 'It costs €5'],
  ['a per cent sign', 'Bob owns 5% of it', 'Bob owns 5 of it'],
  ['feet and inches', "The pipe is 6' long", 'The pipe is 6" long'],
  ['a time', 'The bus leaves at 10:30', 'The bus leaves at 10:20'],
  ['a date', 'The party is on 2024-05-01', 'The party is on 2024-05-02'],
  ['a month', 'The party is in May', 'The party is in June'],
  ['a weekday', 'The party is on Monday', 'The party is on Tuesday'],
  ['a day and a month that are not one date', 'from March 15 to April 20', 'from March 20 to April 15'],
  ['a half of the day', 'Lunch at 3pm', 'Lunch at 3am'],
  ['an hour and a half', 'Lunch at 3pm', 'Lunch at 3:30 pm'],
  ['a year', 'It begins on 3 May 2024', 'It begins on 3 May 2025'],
  ['rated A', 'The bond is rated as A or better', 'The bond is rated as or better'],
  ['that one', 'Bob said that', 'Bob said'],
  ['a blood type', "Bob's blood type is A positive", "Bob's blood type is positive"],
  ['a negation', 'Bob likes tea', 'Bob does not like tea'],
  ['not', 'Bob is at home', 'Bob is not at home'],
  ["n't", 'Bob can swim', "Bob can't swim"],
  ['no longer', 'Bob works at Acme', 'Bob no longer works at Acme'],
  ['never', 'Bob is paid', 'Bob is never paid'],
  ['!=', 'a != b', 'a = b'],
  ['not really', 'Bob is not really ill', 'Bob is not ill'],
  ['a name', 'Ann lives in Rome', 'Anna lives in Rome'],
  ['a surname more', 'Bob lives in Rome', 'Bob Miller lives in Rome'],
  ['one person or two', 'Bob works with Ann Marie', 'Bob works with Ann and Marie'],
  ['who does it to whom', 'Ann owes Bob money', 'Bob owes Ann money'],
  ['whose manager', "Bob's manager is Ann", 'Bob is the manager of Ann'],
  ["someone's brother", 'Bob lives in Rome', "Bob's brother lives in Rome"],
  ['a place', 'Bob lives in Paris', 'Bob lives in Rome'],
  ['past and present', 'Bob is the CEO', 'Bob was the CEO'],
  ['works and worked', 'Bob works at Acme', 'Bob worked at Acme'],
  ['called and is called', 'Bob called Ann', 'Bob is called Ann'],
  ['paid and is paid', 'The company paid 50', 'The company is paid 50'],
  ['from and to', 'The train from Oslo', 'The train to Oslo'],
  ['in and on', 'The cat is in the box', 'The cat is on the box'],
  ['and, or', 'tea and milk', 'tea or milk'],
  [
    'one word of many',
    'Bob told me on the phone that he wants tea for breakfast',
    'Bob told me on the phone that he wants eggs for breakfast',
  ],
  ['one and many', 'Bob has a cat', 'Bob has cats'],
  ['she and he', 'She likes tea', 'He likes tea'],
  ['a doctor', "Ann's a doctor", "Ann's doctor"],
  ['a question', 'Bob likes tea?', 'Bob likes tea.'],
  ['a face', 'How Bob felt :-)', 'How Bob felt :-('],
  ['an emoji', 'Bob on the plan: 👍', 'Bob on the plan: 👎'],
  ['a programming language', 'Bob writes C', 'Bob writes C++'],
  ['another one', 'Bob writes C', 'Bob writes C#'],
  ['a grade', "Bob's grade is A-", "Bob's grade is A"],
  ['a vitamin', 'Bob takes vitamin A daily', 'Bob takes vitamin daily'],
  ['an accent', 'the résumé', 'the resume'],
  ['what it may be', 'Bob will come', 'Bob may come'],
  ['more is said', 'Bob likes tea', 'Bob likes tea without sugar'],
  ['a code', 'The password is hunTer2x', 'The password is hunter2x'],
  ['only punctuation', '...', '!!'],
]

describe('texts that say the same have one key', () => {
  test.each(SAME)('%s: %s | %s', (_, one, other) => {
    expect(factWords(other)).toEqual(factWords(one))
    expect(factKey(other)).toBe(factKey(one))
  })
})

describe('texts that do not have two', () => {
  test.each(OTHER)('%s: %s | %s', (_, one, other) => {
    expect(factKey(other)).not.toBe(factKey(one))
  })
})

test.each([
  ['User likes hiking', 'User enjoys hiking'],
  ['Bob works as a cook at Acme', 'Bob works at Acme as a cook'],
  ['Bob has two kids', 'Bob has two children'],
])('what only the meaning tells is kept twice: %s | %s', (one, other) => {
  expect(factKey(other)).not.toBe(factKey(one))
})

const TEXT = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc
    .array(
      fc.constantFrom(
        'Bob',
        "isn't",
        'the',
        'tea',
        '-5',
        '3.5',
        'name',
        'is',
        'A',
        'café',
        'on',
        'Monday',
        '?',
        'three',
        "Ann's",
      ),
      {
        maxLength: 12,
      },
    )
    .map((words) => words.join(' ')),
)

test('whatever the text: case, blanks, the last full stop and Unicode form make no difference', () => {
  fc.assert(
    fc.property(TEXT, (text) => {
      const key = factKey(text)
      expect(key).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      if (factWords(text).length === 0) return
      expect(factKey(`  ${text}\n`)).toBe(key)
      expect(factKey(text.normalize('NFD'))).toBe(factKey(text.normalize('NFC')))
      // a code keeps its case
      if (/^[\p{L} .'-]*$/u.test(text)) expect(factKey(text.toLowerCase())).toBe(key)
    }),
    { numRuns: 2000 },
  )
})

test('words that objects have by nature are words', () => {
  expect(factWords('constructor 5 of __proto__')).toEqual(['constructor', '5', 'of', 'proto'])
})

test('numbers and negations are never lost, wherever they stand', () => {
  const word = fc.constantFrom('Bob', 'likes', 'tea', 'the', 'name', 'is', 'on', 'Monday', 'also', 'a', 'really')
  const sentence = fc.tuple(fc.array(word, { maxLength: 6 }), fc.array(word, { maxLength: 6 }))
  const marked = (words: [string[], string[]], mark: string) => factKey([...words[0], mark, ...words[1]].join(' '))
  fc.assert(
    fc.property(sentence, fc.nat(), fc.nat(), (words, one, other) => {
      if (one !== other) expect(marked(words, `${one}`)).not.toBe(marked(words, `${other}`))
      for (const no of ['not', 'never', 'no', 'without'])
        expect(marked(words, no)).not.toBe(factKey([...words[0], ...words[1]].join(' ')))
    }),
    { numRuns: 1000 },
  )
})

test('a text as long as a passage can be takes no time to speak of', () => {
  for (const piece of ["Bob's 3.5 ", '-.', '1-', "a'", '👍', 'ǰ', 'is name ', ':-( ']) {
    const text = piece.repeat(Math.ceil(32_768 / piece.length))
    const start = performance.now()
    factKey(text)
    expect(performance.now() - start, piece).toBeLessThan(3_000)
  }
})
