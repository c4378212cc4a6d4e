import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insertPassage } from '#memory/insert-passage.ts'
import { searchMessages } from '#memory/search-messages.ts'
import { searchPassages } from '#memory/search-passages.ts'
import { DEFAULT_USER_ID, newOrderedId, DEFAULT_ORGANIZATION_ID as ORGANIZATION } from '#platform/ids.ts'
import { findDefaultThreadId } from '#store/conversations/find-default-thread-id.ts'
import { type Db, statement } from '#store/db.ts'
import { scriptedModel } from '../../../test/support/scripted-model.ts'
import { createTestAgent } from '../../../test/support/test-agent.ts'
import { openTestDatabase } from '../../../test/support/test-database.ts'
import { NO_VECTORS } from './vector-search.ts'

/** A text; a question with its words in other inflections; two words that stand together in it; another of its words; words that mean nothing; other texts. */
type Row = [name: string, text: string, question: string, phrase: string, word: string, empty: string, others: string[]]

const LANGUAGES: Row[] = [
  [
    'English',
    'My sister bought two old bicycles at the market.',
    'Who was buying a bicycle?',
    'old bicycles',
    'sisters',
    'what is the',
    ['The markets of the town are closed on Sunday.', 'He is an old friend of my brother.'],
  ],
  [
    'German',
    'Meine Schwester hat zwei alte Häuser am See gekauft.',
    'Welches Haus wurde an den Seen gekauft?',
    'alte Häuser',
    'Schwestern',
    'was ist das und die',
    ['Der alte Freund meines Bruders wohnt in einer Wohnung.', 'Wir haben am Sonntag keine Zeit für den Markt.'],
  ],
  [
    'French',
    'Ma sœur a acheté deux vieilles maisons près de la forêt.',
    'Qui achète une maison dans les forêts ?',
    'vieilles maisons',
    'forets',
    'qui est dans la',
    ["L'ami de mon frère habite dans un appartement.", 'Nous ne sommes pas libres dimanche pour le marché.'],
  ],
  [
    'Spanish',
    'Mi hermana compró dos casas antiguas cerca de los bosques.',
    '¿Quién compra una casa en el bosque?',
    'casas antiguas',
    'hermanas',
    'qué es el de la',
    ['El amigo de mi primo vive en un piso.', 'No tenemos tiempo el domingo para ir al mercado.'],
  ],
  [
    'Italian',
    'Mio nonno coltivava pomodori e zucchine dietro la chiesa.',
    'Chi coltiva un pomodoro dietro le chiese?',
    'coltivava pomodori',
    'zucchina',
    'che cosa è il',
    ["L'amico di mio cugino abita in un appartamento.", 'Domenica non abbiamo tempo per la partita.'],
  ],
  [
    'Portuguese',
    'O meu vizinho perdeu as chaves do escritório na praia.',
    'Quem perde uma chave dos escritórios?',
    'vizinho perdeu',
    'praias',
    'o que a de',
    ['O amigo do meu primo mora em um apartamento.', 'Não temos tempo no domingo para o jogo.'],
  ],
  [
    'Dutch',
    'Onze buurman verzorgt zieke egels in zijn garage.',
    'Wie verzorgde er een egel?',
    'zieke egels',
    'egel',
    'wat is het en de',
    ['De vriend van mijn neef woont in een flat.', 'Wij hebben op zondag geen tijd voor de wedstrijd.'],
  ],
  [
    'Swedish',
    'Min moster samlar gamla kartor från skärgården.',
    'Vem har samlat en karta?',
    'gamla kartor',
    'kartan',
    'vad är det och',
    ['Min kusins vän bor i en lägenhet.', 'Vi har inte tid på söndag för matchen.'],
  ],
  [
    'Danish',
    'Naboen reparerer ødelagte ure i kælderen, men de er for dyre.',
    'Hvem har repareret et ødelagt ur?',
    'ødelagte ure',
    'kælder',
    'hvad er det og',
    ['Min fætters ven bor i en lejlighed.', 'Vi har ikke tid på søndag til kampen.'],
  ],
  [
    'Norwegian',
    'Onkelen min tegner fargerike fugler på hytta.',
    'Hvem har tegnet en fargerik fugl?',
    'fargerike fugler',
    'fuglene',
    'hva er det og',
    ['Vennen til fetteren min bor i en leilighet.', 'Vi har ikke tid på søndag til kampen, sa hun.'],
  ],
  [
    'Finnish',
    'Siskoni osti kaksi vanhaa polkupyörää torilta, ja hän oli iloinen.',
    'Missä polkupyörä on?',
    'vanhaa polkupyörää',
    'polkupyörän',
    'mikä se on ja',
    ['Serkkuni ystävä asuu kerrostalossa ja hän on mukava.', 'Meillä ei ole aikaa sunnuntaina, mutta tule sitten.'],
  ],
  [
    'Turkish',
    'Kız kardeşim pazarda iki eski bisiklet aldı ve çok sevindi.',
    'Bisikletler nerede?',
    'eski bisiklet',
    'bisikletleri',
    'bu ne için',
    ['Kuzenimin arkadaşı bir apartmanda oturuyor.', 'Pazar günü maç için vaktimiz yok.'],
  ],
  [
    'Hungarian',
    'A nővérem két régi kerékpárt vett a piacon, és nagyon örült.',
    'Hol van a kerékpár?',
    'régi kerékpárt',
    'kerékpárok',
    'mi ez és hogy',
    ['Az unokatestvérem barátja egy lakásban él.', 'Vasárnap nem érünk rá, mert meccs lesz.'],
  ],
  [
    'Romanian',
    'Bunica mea a vândut merele din grădină și este bucuroasă.',
    'Cine are mere din grădini?',
    'merele din grădină',
    'grădinii',
    '',
    ['Prietenul vărului meu este într-un apartament.', 'Nu avem timp duminică pentru meci.'],
  ],
  [
    'Russian',
    'Моя сестра купила два старых велосипеда на рынке.',
    'Кто покупает велосипеды на рынках?',
    'старых велосипеда',
    'велосипедом',
    'что это и на',
    ['Друг моего брата живёт в квартире.', 'В воскресенье у нас нет времени на футбол.'],
  ],
  [
    'Greek',
    'Η αδελφή μου αγόρασε δύο παλιά ποδήλατα στην αγορά.',
    'Πού είναι το ποδήλατο;',
    'παλιά ποδήλατα',
    'ποδηλάτων ποδήλατο',
    '',
    ['Ο φίλος του ξαδέλφου μου μένει σε διαμέρισμα.', 'Την Κυριακή δεν έχουμε χρόνο.'],
  ],
  [
    'Chinese',
    '我姐姐昨天在北京的市场买了两辆旧自行车。',
    '谁在北京有自行车？',
    '旧自行车',
    '姐姐',
    '的 是 什么',
    ['我朋友住在上海的公寓。', '星期天我们没有时间看比赛。'],
  ],
  [
    'Japanese',
    '姉は市場で古い自転車を二台買いました。',
    '自転車はどこで買えますか？',
    '古い自転車',
    '市場',
    'これは 何 です',
    ['友達はアパートに住んでいます。', '日曜日は試合を見る時間がありません。'],
  ],
  [
    'Korean',
    '누나는 시장에서 오래된 자전거를 두 대 샀다.',
    '자전거는 어디에 있어?',
    '오래된 자전거',
    '자전거',
    '',
    ['친구는 아파트에 산다.', '일요일에는 경기를 볼 수 없다.'],
  ],
  [
    'Thai',
    'พี่สาวซื้อจักรยานเก่าสองคันที่ตลาด',
    'ใครมีจักรยาน',
    'จักรยานเก่า',
    'พี่สาว',
    'อะไร ที่ และ',
    ['เพื่อนอาศัยในคอนโด', 'วันอาทิตย์เราไม่ว่าง'],
  ],
]

const INSERT_MESSAGES = statement(
  'test-insert-languages',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
   select $1, t.id, $2, $3, 'user', jsonb_build_array(jsonb_build_object('type', 'text', 'text', t.text)), perdure_words(t.text),
     '2026-01-01'::timestamptz + t.n * interval '1 minute'
   from jsonb_to_recordset($4::jsonb) as t (n integer, id text, text text)`,
)
const COUNT_MESSAGES = statement(
  'test-count-languages',
  'update conversations set message_count = message_count + $3 where organization_id = $1 and id = $2',
)

let db: Db
let agentId: string
/** All languages in one archive, and in one conversation. */
beforeAll(async () => {
  db = await openTestDatabase()
  agentId = await createTestAgent(db, scriptedModel(() => ({ text: '' })).registry)
  const actor = { organizationId: ORGANIZATION, userId: DEFAULT_USER_ID }
  const texts = [...LANGUAGES.flatMap(([, text, , , , , others]) => [text, ...others]), ...THINGS]
  for (const text of texts) await insertPassage(db, actor, agentId, { text })
  const thread = await findDefaultThreadId(db, ORGANIZATION, agentId)
  // far from each other, so that none is found for what stands beside it
  const rows = texts.map((text, n) => ({ n, id: newOrderedId('message'), text }))
  await db.query(INSERT_MESSAGES, [ORGANIZATION, agentId, thread, JSON.stringify(rows)])
  await db.query(COUNT_MESSAGES, [ORGANIZATION, thread, rows.length])
})
afterAll(() => db[Symbol.asyncDispose]())

const tools = () => ({ db, vectors: NO_VECTORS })
async function inPassages(query: string): Promise<string[]> {
  const found = await searchPassages(tools(), { organizationId: ORGANIZATION, agentId, query, limit: 5, mode: 'fts' })
  return found.map(({ text }) => text)
}
async function inMessages(query: string): Promise<string[]> {
  const found = await searchMessages(tools(), {
    organizationId: ORGANIZATION,
    agentId,
    query,
    roles: ['user'],
    limit: 5,
    start: undefined,
    end: undefined,
    mode: 'fts',
  })
  return found.map(({ text }) => text)
}

/** As it was stored before words had languages. */
const OLD_MESSAGE = 'Der Klempner hat Heizungen repariert, and billed the repairs.'
const INSERT_OLD = statement(
  'test-insert-old-message',
  `insert into messages (organization_id, id, agent_id, conversation_id, role, content, search, created_at)
   values ($1, $2, $3, $4, 'user', jsonb_build_array(jsonb_build_object('type', 'text', 'text', $5::text)), to_tsvector('english', $5), '2026-01-01')`,
)

test('a message from before is found by its words, and by the inflections of English ones', async () => {
  const thread = await findDefaultThreadId(db, ORGANIZATION, agentId)
  await db.query(INSERT_OLD, [ORGANIZATION, newOrderedId('message'), agentId, thread, OLD_MESSAGE])
  expect((await inMessages('klempner'))[0]).toBe(OLD_MESSAGE)
  expect((await inMessages('repairing'))[0]).toBe(OLD_MESSAGE)
  expect((await inMessages('"Heizungen repariert"'))[0]).toBe(OLD_MESSAGE)
})

const THINGS = [
  'Nobody knows when the old king died.',
  'They took good care of the dog.',
  'His car is at the garage.',
  'Order ABC-4711 was shipped by anna.schmidt@example.com.',
  'Order ABC-4712 was shipped by bob.jones@example.org.',
  'The totals are in quarterly_report_v2.pdf, as always.',
  'It is done by getUserProfile in src/http/user-profile.ts.',
  'The parcel weighs 5kg and the other one 12 kg.',
  'Version 1.2.3 is out, after v1.1.9.',
  'Die Rechnung RE-2024-0815 steht in ablage/rechnungen_2024.xlsx und ist bezahlt.',
  'See https://status.example.net/incidents/9f3 for the incident.',
]

const LENGTH = statement('test-count-words', 'select length(perdure_words($1)) as count')

/** Letters of which no two pairs are the same make the most words. */
const lettersFrom = (first: number, count: number) => {
  let state = 1
  return String.fromCodePoint(
    ...Array.from({ length: 100_000 }, () => {
      state = (state * 16_807) % 2_147_483_647
      return first + (state % count)
    }),
  )
}

test.each([
  ['Chinese', lettersFrom(0x4e00, 20_000), 50_000],
  ['rare Chinese', lettersFrom(0x20000, 40_000), 50_000],
  ['Korean', lettersFrom(0xac00, 11_000), 50_000],
  ['a letter that stands for eighteen', '\ufdfa'.repeat(100_000), 1],
  ['quotes', `it's 'x:y' ''z'' \\ `.repeat(5_000), 3],
])('a giant text is stored: %s', async (_, text, least) => {
  const [row] = await db.query<{ count: number }>(LENGTH, [text])
  expect(row?.count).toBeGreaterThanOrEqual(least)
})

for (const [place, search] of [
  ['passages', inPassages],
  ['messages', inMessages],
] as const) {
  describe(`in ${place}`, () => {
    test.each(LANGUAGES)('%s', async (_, text, question, phrase, word, empty) => {
      expect((await search(question))[0]).toBe(text)
      expect((await search(word))[0]).toBe(text)
      expect(await search(`"${phrase}"`)).toEqual([text])
      const letters = [...phrase]
      const other = phrase.includes(' ') ? phrase.split(' ').toReversed().join(' ') : letters.toReversed().join('')
      expect(await search(`"${other}"`)).toEqual([])
      const [, excluded = ''] = /(\S+)$/.exec(phrase) ?? []
      expect(await search(`${word} -${excluded}`)).not.toContain(text)
      if (empty !== '') expect(await search(empty)).toEqual([])
    })

    test('what means nothing in one language does in another', async () => {
      expect((await search('Did he die?'))[0]).toBe('Nobody knows when the old king died.')
      expect(await search('die')).toEqual(['Nobody knows when the old king died.'])
      expect(await search('wo ist die')).toEqual([])
    })

    test('stems of one language are not those of another', async () => {
      expect(await search('care')).toEqual(['They took good care of the dog.'])
      expect(await search('cars')).toEqual(['His car is at the garage.'])
    })

    test.each<[string, string]>([
      ['ABC-4711', 'Order ABC-4711'],
      ['abc-4711', 'Order ABC-4711'],
      ['4711', 'Order ABC-4711'],
      ['4712', 'Order ABC-4712'],
      ['anna.schmidt@example.com', 'Order ABC-4711'],
      ['bob.jones', 'Order ABC-4712'],
      ['example.org', 'Order ABC-4712'],
      ['quarterly_report_v2.pdf', 'The totals are'],
      ['quarterly report', 'The totals are'],
      ['getUserProfile', 'It is done by '],
      ['getuserprofile', 'It is done by '],
      ['user-profile.ts', 'It is done by '],
      ['profile', 'It is done by '],
      ['5kg', 'The parcel wei'],
      ['"5 kg"', 'The parcel wei'],
      ['12kg', 'The parcel wei'],
      ['1.2.3', 'Version 1.2.3 '],
      ['v1.2.3', 'Version 1.2.3 '],
      ['1.1.9', 'Version 1.2.3 '],
      ['RE-2024-0815', 'Die Rechnung R'],
      ['0815', 'Die Rechnung R'],
      ['rechnungen_2024', 'Die Rechnung R'],
      ['status.example.net', 'See https://st'],
      ['incidents', 'See https://st'],
    ])('%s', async (query, expected) => {
      expect((await search(query))[0]?.slice(0, 14)).toBe(expected)
    })
  })
}
