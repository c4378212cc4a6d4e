/** Languages whose words have more pieces than English ones of the same length, by how much, and words that give them away. */
const LANGUAGES: readonly (readonly [factor: number, words: string])[] = [
  [
    1.2,
    'der die das und ist nicht ich ein eine einen den dem zu auf für auch wir sie es von sich dass noch bitte wenn',
  ],
  [1.22, 'het een en van ik je niet dat op zijn voor met maar ook naar wat was deze hoe kun'],
  [1.29, 'il di che non è per una un sono mi ma con ho più anche come della questo ci del'],
  [1.28, 'nie się w na i że jest to z do jak czy ale mnie już mi co dla po był'],
  [1.25, 'och att det som en på är av för med inte jag har till den var kan om ett så'],
  [0.93, 'le la les de des et je que pas est un une du en vous nous pour dans il est qui sur ai avec ce'],
  [0.95, 'o a os as que não de do da em um uma para com por você mas eu se mais como está no na'],
  [1.07, 'el la que de los en es por con una para las del no me lo más pero como muy'],
]
const ENGLISH = 'the and to of a in is it you that for on with was are be this have i what'

const OWNERS = new Map<string, number[]>()
for (const [index, words] of [ENGLISH, ...LANGUAGES.map(([, list]) => list)].entries()) {
  for (const word of words.split(' ')) OWNERS.set(word, [...(OWNERS.get(word) ?? []), index])
}

/** Units that are looked at, and how many of a language's words must be among them. */
const SAMPLE_UNITS = 240
const LEAST_HITS = 3
const WORDS = /\p{L}+/gu

/**
 * How many times as many tokens a text has as an English one that looks like it: 1 for English, for what is no prose, and for languages that
 * we do not know. Only the beginning is looked at.
 */
export function languageFactor(text: string): number {
  const hits = new Array<number>(LANGUAGES.length + 1).fill(0)
  for (const word of text.slice(0, SAMPLE_UNITS).toLowerCase().match(WORDS) ?? []) {
    for (const owner of OWNERS.get(word) ?? []) hits[owner] = (hits[owner] ?? 0) + 1
  }
  const most = Math.max(...hits)
  const index = hits.indexOf(most)
  return index === 0 || most < LEAST_HITS ? 1 : (LANGUAGES[index - 1]?.[0] ?? 1)
}
