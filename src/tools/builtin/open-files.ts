import { type FileLimits, fileLimitsOf } from '#memory/files/file-limits.ts'
import { closedView } from '#memory/files/open-files.ts'
import { filesToClose } from '#memory/files/plan-open-files.ts'
import { type LineRange, viewFile } from '#memory/files/view-file.ts'
import {
  type AgentFileState,
  findFileLimits,
  listAgentFileStates,
  readAgentFile,
} from '#store/agents/agent-file-reader.ts'
import type { FileView } from '#store/agents/agent-file-writer.ts'
import { type BuiltinTool, failure, type ToolContext, type ToolOutcome } from '#tools/tool.ts'

interface FileRequest {
  file_name: string
  offset?: number | null
  length?: number | null
}

/** A file that was asked for and is there. */
interface Opening {
  file: AgentFileState
  range: LineRange | null
}

/** Names in a message to the model. */
const MAX_NAMES = 50

function resolve(requests: readonly FileRequest[], files: readonly AgentFileState[]): Opening[] | string {
  const openings: Opening[] = []
  for (const { file_name: name, offset, length } of requests) {
    const file = files.find((candidate) => candidate.file_name === name)
    if (file === undefined) {
      const names = files.slice(0, MAX_NAMES).map((candidate) => candidate.file_name)
      return `${name} not attached - did you get the filename correct? Currently you have the following files attached: [${names.join(', ')}${files.length > MAX_NAMES ? ', …' : ''}]`
    }
    const first = offset ?? 0
    if (first > 0 && first >= file.line_count) {
      return `offset ${first} is out of range: ${name} has ${file.line_count} lines, counted from 0 here.`
    }
    const end = length == null ? file.line_count : Math.min(first + length, file.line_count)
    const isWhole = offset == null && length == null
    openings.push({ file, range: isWhole ? null : { start: first + 1, end } })
  }
  return openings
}

const describe = (range: { start: number; end: number } | null): string =>
  range === null ? 'full file' : `lines ${range.start}-${range.end}`

function rangeBefore(file: AgentFileState): string {
  if (!file.is_open) return ''
  const { start_line: start, end_line: end } = file
  return ` (previously ${describe(start === null || end === null ? null : { start, end })})`
}

function report(openings: readonly Opening[], closed: readonly AgentFileState[], closesOthers: boolean): string {
  const opened = openings.map(({ file, range }) => `${file.file_name} (${describe(range)})${rangeBefore(file)}`)
  const summary =
    opened.length === 1 ? `* Opened ${opened[0]}` : `* Opened ${opened.length} files: ${opened.join(', ')}`
  if (closed.length === 0) return summary
  const names = closed.map((file) => file.file_name).join(', ')
  const note = closesOthers
    ? `Closed ${closed.length} other file(s): ${names}`
    : `Closed ${closed.length} least recently used file(s) due to open file limit: ${names}`
  return `${summary}\nNote: ${note}`
}

async function open(
  context: ToolContext,
  { limits, files }: { limits: FileLimits; files: readonly AgentFileState[] },
  openings: readonly Opening[],
  closesOthers: boolean,
): Promise<ToolOutcome> {
  const wanted = new Set(openings.map(({ file }) => file.file_id))
  const closed = closesOthers
    ? files.filter((file) => file.is_open && !wanted.has(file.file_id))
    : filesToClose(files, wanted, limits.maxFilesOpen)
  const views: FileView[] = []
  for (const { file, range } of openings) {
    const text = (await readAgentFile(context.db, context.organizationId, context.agentId, file.file_id)) ?? ''
    views.push({
      file_id: file.file_id,
      is_open: true,
      start_line: range?.start ?? null,
      end_line: range?.end ?? null,
      visible_content: viewFile(text, { lineCount: file.line_count, range }, limits.windowChars),
    })
  }
  // the prompt shows them from the next turn on; until then the result does
  const shown = openings.map(({ file }, index) => `=== ${file.file_name} ===\n${views[index]?.visible_content}`)
  return {
    status: 'success',
    text: [report(openings, closed, closesOthers), ...shown].join('\n\n'),
    effects: [{ type: 'view-files', views: [...closed.map((file) => closedView(file.file_id)), ...views] }],
  }
}

export const openFiles: BuiltinTool = {
  name: 'open_files',
  description:
    'Open files of your directories, whole or some of their lines, so that you see them now and at every later turn. When too many are open, those that you did not use for the longest time are closed.',
  toolType: 'letta_files_core',
  durability: 'transactional',
  parameters: {
    type: 'object',
    properties: {
      file_requests: {
        type: 'array',
        minItems: 1,
        description: 'The files to open.',
        items: {
          type: 'object',
          properties: {
            file_name: { type: 'string', description: 'Name of the file as your directories show it, folder/file.' },
            offset: {
              type: ['integer', 'null'],
              minimum: 0,
              description: 'First line to show, counted from 0; the beginning of the file by default.',
            },
            length: {
              type: ['integer', 'null'],
              minimum: 1,
              description: 'How many lines to show; all that follow by default.',
            },
          },
          required: ['file_name'],
        },
      },
      close_all_others: {
        type: 'boolean',
        description: 'Close every other file first. False by default.',
        default: false,
      },
    },
    required: ['file_requests'],
  },
  async execute(args, context) {
    const given = args.file_requests as FileRequest[]
    // the last request for a file counts
    const requests = [...new Map(given.map((request) => [request.file_name, request])).values()]
    const stored = await findFileLimits(context.db, context.organizationId, context.agentId)
    const limits = fileLimitsOf(stored ?? { max_files_open: null, per_file_view_window_char_limit: null })
    if (requests.length > limits.maxFilesOpen) {
      return failure(
        `Cannot open ${requests.length} files: exceeds configured maximum limit of ${limits.maxFilesOpen} files`,
      )
    }
    const files = await listAgentFileStates(context.db, context.organizationId, context.agentId)
    const openings = resolve(requests, files)
    if (typeof openings === 'string') return failure(openings)
    return open(context, { limits, files }, openings, args.close_all_others === true)
  },
}
