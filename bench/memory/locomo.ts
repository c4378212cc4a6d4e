import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../../../shared/data/locomo', import.meta.url))

export interface Turn {
  id: string
  speaker: string
  text: string
  /** Number of the session, from 1. */
  session: number
  at: Date
}
export interface Question {
  text: string
  /** Ids of the turns that answer it. */
  evidence: string[]
}
/** A conversation of the LoCoMo data (non-commercial: for measuring, never shipped). */
export interface Conversation {
  name: string
  turns: Turn[]
  questions: Question[]
}

/** Category of questions that have no answer. */
const ADVERSARIAL = 5

interface RawTurn {
  speaker: string
  dia_id: string
  text: string
  blip_caption?: string
}
interface RawQuestion {
  question: string
  evidence: string[]
  category: number
}

/** All conversations by name. Images are told by their captions, as the model would have been. */
export function loadConversations(): Conversation[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .sort()
    .map((name) =>
      toConversation(name, JSON.parse(readFileSync(`${FOLDER}/${name}`, 'utf8')) as Record<string, unknown>),
    )
}

function toConversation(name: string, raw: Record<string, unknown>): Conversation {
  const turns: Turn[] = []
  for (let session = 1; raw[`session_${session}`] !== undefined; session += 1) {
    const startedAt = parseTime(String(raw[`session_${session}_date_time`]))
    for (const [index, turn] of (raw[`session_${session}`] as RawTurn[]).entries()) {
      const caption = turn.blip_caption === undefined ? '' : ` [shares ${turn.blip_caption}]`
      const at = new Date(startedAt.getTime() + index * 30_000)
      turns.push({ id: turn.dia_id, speaker: turn.speaker, text: `${turn.text}${caption}`, session, at })
    }
  }
  const known = new Set(turns.map(({ id }) => id))
  const questions = (raw.qa as RawQuestion[])
    .filter(({ category }) => category !== ADVERSARIAL)
    .map(({ question, evidence }) => ({ text: question, evidence: toIds(evidence).filter((id) => known.has(id)) }))
    .filter(({ evidence }) => evidence.length > 0)
  return { name, turns, questions }
}

/** Some entries name several turns in one text. */
const toIds = (evidence: readonly string[]): string[] => [
  ...new Set(evidence.flatMap((entry) => entry.match(/D\d+:\d+/g) ?? [])),
]

/** `1:56 pm on 8 May, 2023` */
function parseTime(text: string): Date {
  const [, hour = '0', minute = '0', half = 'am', day = '1', month = 'January', year = '2023'] =
    /(\d+):(\d+) (am|pm) on (\d+) (\w+),? (\d+)/.exec(text) ?? []
  const hours = (Number(hour) % 12) + (half === 'pm' ? 12 : 0)
  return new Date(`${day} ${month} ${year} ${hours}:${minute} UTC`)
}
