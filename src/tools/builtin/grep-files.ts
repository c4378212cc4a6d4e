import type { GrepMatch } from '#memory/files/grep-lines.ts'
import { GrepAborted, GrepThread } from '#memory/files/grep-thread.ts'
import { type AgentFileState, listAgentFileStates, readAgentFile } from '#store/agents/agent-file-reader.ts'
import { type BuiltinTool, failure, success, type ToolContext } from '#tools/tool.ts'

const PAGE_SIZE = 20
const MAX_MATCHES = 1_000
const MAX_PATTERN_LENGTH = 1_000
const MAX_CONTEXT_LINES = 20
/** Characters of all the files of a search together. */
const MAX_TOTAL_CHARS = 200 * 1024 * 1024
/** For the search in all files, without reading them; a pattern with look-around or back-references that explodes is ended then. */
const LIMIT_MS = 10_000
const RULE = '='.repeat(80)

type Found = GrepMatch & { fileName: string }

/** `*` is any text, `?` one character; without either a part of the name. In any case. */
function toNameFilter(include: unknown): (name: string) => boolean {
  if (typeof include !== 'string' || include.trim() === '') return () => true
  const wanted = include.trim().toLowerCase()
  if (!/[*?]/.test(wanted)) return (name) => name.toLowerCase().includes(wanted)
  return (name) =>
    matchesGlob(name.toLowerCase(), wanted) || matchesGlob(name.toLowerCase().split('/').at(-1) ?? '', wanted)
}

/** In time proportional to both lengths: after a mismatch only the last `*` takes one character more. */
function matchesGlob(name: string, glob: string): boolean {
  let at = 0
  let globAt = 0
  let star = -1
  let starAt = 0
  while (at < name.length) {
    if (glob[globAt] === '*') {
      star = globAt++
      starAt = at
    } else if (glob[globAt] === '?' || glob[globAt] === name[at]) {
      at++
      globAt++
    } else if (star >= 0) {
      globAt = star + 1
      at = ++starAt
    } else return false
  }
  while (glob[globAt] === '*') globAt++
  return globAt === glob.length
}

/** Why the pattern cannot be used, or undefined. */
function patternProblem(pattern: string): string | undefined {
  if (pattern === '') return 'pattern is empty.'
  if (pattern.length > MAX_PATTERN_LENGTH) {
    return `pattern has ${pattern.length} characters, at most ${MAX_PATTERN_LENGTH} are allowed.`
  }
  try {
    new RegExp(pattern, 'i')
    return undefined
  } catch (error) {
    return `Invalid regex pattern: ${error instanceof Error ? error.message : pattern}`
  }
}

async function collect(
  context: ToolContext,
  files: readonly AgentFileState[],
  pattern: string,
  contextLines: number,
): Promise<Found[]> {
  await using thread = await GrepThread.open(pattern, LIMIT_MS)
  const found: Found[] = []
  for (const file of files) {
    if (found.length >= MAX_MATCHES || context.signal.aborted) break
    const text = await readAgentFile(context.db, context.organizationId, context.agentId, file.file_id)
    if (text === undefined) continue
    const matches = await thread.search({ text, contextLines, maxMatches: MAX_MATCHES - found.length })
    found.push(...matches.map((match) => ({ ...match, fileName: file.file_name })))
  }
  return found
}

function render(found: readonly Found[], pattern: string, offset: number): string {
  const shown = found.slice(offset, offset + PAGE_SIZE)
  const counts = Map.groupBy(found, (match) => match.fileName)
  const total = found.length >= MAX_MATCHES ? `${found.length}+` : String(found.length)
  const next = offset + shown.length
  return [
    `Found ${total} total matches across ${counts.size} files (showing matches ${offset + 1}-${next} of ${total})`,
    RULE,
    'Files with matches:',
    ...[...counts].map(([name, matches]) => `  - ${name} (${matches.length} matches)`),
    '',
    ...shown.flatMap(renderMatch),
    next < found.length
      ? `To see more matches, call: grep_files(pattern="${pattern}", offset=${next})`
      : 'No more matches to show.',
  ].join('\n')
}

const renderMatch = (match: Found): string[] => [
  `=== ${match.fileName}:${match.line} ===`,
  ...match.lines.map(({ number, text }) => `${number === match.line ? '>' : ' '} ${number}: ${text}`),
  '',
]

export const grepFiles: BuiltinTool = {
  name: 'grep_files',
  description: `Search the lines of all files of your directories with a regular expression, in any case. ${PAGE_SIZE} matches are shown at a time.`,
  toolType: 'letta_files_core',
  durability: 'read',
  parameters: {
    type: 'object',
    properties: {
      pattern: { type: 'string', description: 'Regular expression to look for in each line.' },
      include: { type: ['string', 'null'], description: 'Only files with such names, for example *.py.' },
      context_lines: {
        type: ['integer', 'null'],
        minimum: 0,
        description: 'Lines to show before and after each match, 1 by default.',
        default: 1,
      },
      offset: {
        type: ['integer', 'null'],
        minimum: 0,
        description: 'How many matches to pass over, for the next page.',
      },
    },
    required: ['pattern'],
  },
  async execute(args, context) {
    // Python's way of asking for what is done anyway
    const pattern = String(args.pattern).replace(/^\(\?[im]+\)/, '')
    const problem = patternProblem(pattern)
    if (problem !== undefined) return failure(problem)
    const isIncluded = toNameFilter(args.include)
    const attached = await listAgentFileStates(context.db, context.organizationId, context.agentId)
    if (attached.length === 0) return failure('No files are currently attached to search')
    const files = attached.filter((file) => isIncluded(file.file_name))
    const totalChars = files.reduce((sum, file) => sum + file.char_count, 0)
    if (totalChars > MAX_TOTAL_CHARS) {
      return failure('The files are too large to be searched together. Use include to search some of them.')
    }
    try {
      const contextLines = Math.min(Number(args.context_lines ?? 1), MAX_CONTEXT_LINES)
      const found = await collect(context, files, pattern, contextLines)
      if (found.length === 0) return success(`No matches found for pattern: '${pattern}'`)
      const offset = Number(args.offset ?? 0)
      if (offset >= found.length) return failure(`offset ${offset} is out of range: there are ${found.length} matches.`)
      return success(render(found, pattern, offset))
    } catch (error) {
      if (!(error instanceof GrepAborted)) throw error
      return failure(
        `${error.message}. Use a simpler pattern, without look-around and back-references, or include to search fewer files.`,
      )
    }
  },
}
