import type { ModelRequest } from '#llm/model.ts'
import { findName, splitSentences } from './parse-facts.ts'
import type { Situation } from './read-request.ts'

export interface PlannedCall {
  name: string
  args: Record<string, unknown>
}

const SEARCH =
  /^(?!(?:I|my|we)\b)(?:.*?\b)?(?:(?:search|look|find|check)\b(?:.*?\b(?:for|about)\s+|\s+)|(?:did|have) (?:we|I|you) (?:ever )?(?:talk|talked|speak|spoken|mention|mentioned|discuss|discussed|say|said)(?: (?:about|of|anything about))?\s+)(.+)$/i
const FILLER = /[\s,]+(?:please|again|for me|in (?:my|your|our|the) \S+(?: \S+)?)$/i

/** What the user wants to have searched for; undefined when they do not. */
export function findSearchQuery(text: string): string | undefined {
  for (const sentence of splitSentences(text)) {
    const found = SEARCH.exec(sentence.replace(/[\s.!?…]+$/, ''))?.[1]
    const query = found
      ?.replace(FILLER, '')

      .replace(/^(?:the )?(?:words?|phrase|messages about|anything about) /i, '')
      .replace(/^["'“”‘’«»]+|["'“”‘’«»]+$/g, '')
      .trim()
    if (query !== undefined && query !== '') return query
  }
  return undefined
}

function planSearch(query: string, text: string, tools: ReadonlySet<string>): PlannedCall | undefined {
  const names = ['conversation_search', 'archival_memory_search'].filter((name) => tools.has(name))
  const name = /archiv/i.test(text) ? names.at(-1) : names[0]
  return name === undefined ? undefined : { name, args: { query: query.replace(/^archiv\S*\s+/i, '') } }
}

/** A changed name takes the place of the old one, where that stands on a line that we can name exactly. */
function planNameChange(situation: Situation, tools: ReadonlySet<string>): PlannedCall | undefined {
  const { human, unknownFacts } = situation
  const line = human?.value.split('\n').find((text) => findName(text) !== undefined)
  if (human === undefined || line === undefined || !unknownFacts.some((fact) => findName(fact) !== undefined))
    return undefined
  const isUnique = human.value.indexOf(line) === human.value.lastIndexOf(line)
  const text = unknownFacts.join('\n')
  if (tools.has('memory_replace') && isUnique) {
    return { name: 'memory_replace', args: { label: human.label, old_string: line, new_string: text } }
  }
  if (tools.has('core_memory_replace')) {
    return { name: 'core_memory_replace', args: { label: human.label, old_content: line, new_content: text } }
  }
  return undefined
}

/** The call that writes the new facts down, with the first fitting tool there is. */
function planStore(situation: Situation, tools: ReadonlySet<string>): PlannedCall | undefined {
  const { human, unknownFacts } = situation
  const text = unknownFacts.join('\n')
  const archive = { name: 'archival_memory_insert', args: { content: unknownFacts.join(' ') } }
  if (human === undefined || human.isReadOnly) return tools.has(archive.name) ? archive : undefined
  const { label, value } = human
  const whole = value === '' ? text : `${value}\n${text}`
  const lastLine = value.slice(value.lastIndexOf('\n') + 1)
  const isLastLineUnique = lastLine.trim() !== '' && value.indexOf(lastLine) === value.lastIndexOf(lastLine)
  const ways: (PlannedCall | undefined)[] = [
    planNameChange(situation, tools),
    { name: 'memory_insert', args: { label, new_string: text } },
    { name: 'core_memory_append', args: { label, content: text } },
    { name: 'memory_rethink', args: { label, new_memory: whole } },
    {
      name: 'memory',
      args: { command: 'insert', path: `/memories/${label}`, insert_line: value.split('\n').length, insert_text: text },
    },
    isLastLineUnique
      ? { name: 'memory_replace', args: { label, old_string: lastLine, new_string: `${lastLine}\n${text}` } }
      : undefined,
    isLastLineUnique
      ? { name: 'core_memory_replace', args: { label, old_content: lastLine, new_content: `${lastLine}\n${text}` } }
      : undefined,
    archive,
  ]
  return ways.find((way) => way !== undefined && tools.has(way.name))
}

/** The tool calls that the last message of the user asks for: at most one that writes and one that searches. */
export function planCalls(situation: Situation, request: ModelRequest): PlannedCall[] {
  if (request.toolChoice.type === 'none') return []
  const chosen = request.toolChoice.type === 'tool' ? request.toolChoice.name : undefined
  const tools = new Set(
    request.tools.map((tool) => tool.name).filter((name) => chosen === undefined || name === chosen),
  )
  const query = findSearchQuery(situation.lastText)
  const calls = [
    situation.unknownFacts.length === 0 ? undefined : planStore(situation, tools),
    query === undefined ? undefined : planSearch(query, situation.lastText, tools),
  ].filter((call) => call !== undefined)
  return request.settings.parallel_tool_calls === false ? calls.slice(0, 1) : calls
}
