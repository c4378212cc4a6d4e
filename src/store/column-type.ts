import pg from 'pg'

type ParseText = (text: string) => unknown

const parseTextArray: (text: string) => (string | null)[] = pg.types.getTypeParser(1009 as number, 'text')
const parseTimestamp: ParseText = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ, 'text')
const parseBytes: ParseText = pg.types.getTypeParser(pg.types.builtins.BYTEA, 'text')

const arrayOf =
  (parse: ParseText): ParseText =>
  (text) =>
    parseTextArray(text).map((element) => (element === null ? null : parse(element)))

const isTrue: ParseText = (text) => text === 't'
const parseJson: ParseText = (text) => JSON.parse(text)

/** Parsers by type oid (pg_type.dat of PostgreSQL); what is not listed stays text. `numeric` (sums, averages) becomes a number. */
const parsers = new Map<number, ParseText>([
  [16, isTrue],
  [1000, arrayOf(isTrue)],
  [17, parseBytes],
  ...[20, 21, 23, 26, 700, 701, 1700].map((oid): [number, ParseText] => [oid, Number]),
  ...[1005, 1007, 1016, 1021, 1022, 1028, 1231].map((oid): [number, ParseText] => [oid, arrayOf(Number)]),
  ...[114, 3802].map((oid): [number, ParseText] => [oid, parseJson]),
  ...[199, 3807].map((oid): [number, ParseText] => [oid, arrayOf(parseJson)]),
  ...[1114, 1184].map((oid): [number, ParseText] => [oid, parseTimestamp]),
  ...[1115, 1185].map((oid): [number, ParseText] => [oid, arrayOf(parseTimestamp)]),
  ...[1002, 1003, 1009, 1014, 1015, 2951].map((oid): [number, ParseText] => [oid, parseTextArray]),
])

const asText: ParseText = (text) => text

/** The parser of a column's text form, by the oid of its type; both engines use it, so that they give the same values. */
export function columnParser(typeOid: number): ParseText {
  return parsers.get(typeOid) ?? asText
}
