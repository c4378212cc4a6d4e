import type { FileLimits } from '#memory/files/file-limits.ts'
import { cutView } from '#memory/files/view-file.ts'
import type { ThreadFolder } from '#store/conversations/load-thread.ts'

/** An agent's folders, and what it has open of them. */
export interface Directories {
  /** In the order in which they were attached. */
  folders: readonly ThreadFolder[]
  limits: FileLimits
}

/** Names are given by people and stand between quotes. */
const escapeName = (name: string): string =>
  name.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

function renderFile(
  folder: ThreadFolder,
  { name, is_open, visible_content }: ThreadFolder['files'][number],
  windowChars: number,
): string[] {
  const fullName = escapeName(`${folder.name}/${name}`)
  if (!is_open) return [`<file status="closed" name="${fullName}">`, '</file>']
  const value = cutView(visible_content ?? '', windowChars)
  return [
    `<file status="open" name="${fullName}">`,
    '<metadata>',
    '- read_only=true',
    `- chars_current=${value.length}`,
    `- chars_limit=${windowChars}`,
    '</metadata>',
    '<value>',
    value,
    '</value>',
    '</file>',
  ]
}

function renderFolder(folder: ThreadFolder, windowChars: number): string {
  const unnamed = folder.closed_count - folder.files.filter((file) => !file.is_open).length
  return [
    `<directory name="${escapeName(folder.name)}">`,
    ...(folder.description ? ['<description>', folder.description, '</description>'] : []),
    ...(folder.instructions ? ['<instructions>', folder.instructions, '</instructions>'] : []),
    ...folder.files.flatMap((file) => renderFile(folder, file, windowChars)),
    ...(unnamed > 0 ? [`# NOTE: ${unnamed} more closed files are not listed here, use functions to search them.`] : []),
    '</directory>',
  ].join('\n')
}

/** The section about files. Pure: same input, same bytes. */
export function renderDirectories({ folders, limits }: Directories): string {
  const openCount = folders.flatMap((folder) => folder.files).filter((file) => file.is_open).length
  return [
    '<directories>',
    '<file_limits>',
    `- current_files_open=${openCount}`,
    `- max_files_open=${limits.maxFilesOpen}`,
    '</file_limits>',
    ...folders.map((folder) => renderFolder(folder, limits.windowChars)),
    '</directories>',
  ].join('\n')
}
