/** Where the reading of a file stands; V1's words. */
export type FileStatus = 'pending' | 'parsing' | 'embedding' | 'completed' | 'error'

/** A file as read, without its text. */
export interface FileRow {
  id: string
  folder_id: string
  folder_name: string
  /** Within the folder; `<folder_name>/<name>` is what everybody calls it. */
  name: string
  original_name: string
  media_type: string | null
  size_bytes: number
  char_count: number
  line_count: number
  passage_count: number
  /** Agents see what is completed. */
  processing_status: FileStatus
  /** Why it could not be read. */
  error_message: string | null
  /** How many passages can be found so far; null where all can. */
  stored_passage_count: number | null
  created_at: Date
  updated_at: Date
}

const COLUMN_NAMES = [
  'id',
  'folder_id',
  'name',
  'original_name',
  'media_type',
  'size_bytes',
  'char_count',
  'line_count',
  'passage_count',
  'processing_status',
  'error_message',
  'stored_passage_count',
  'created_at',
  'updated_at',
] as const satisfies (keyof FileRow)[]

/** Columns of `FileRow`, by the aliases of files and folders in the statement. */
export const fileColumns = (file: string, folder: string): string =>
  `${COLUMN_NAMES.map((name) => `${file}.${name}`).join(', ')}, ${folder}.name as folder_name`

/** A piece of a file's text, by which it is found. */
export interface FilePassageRow {
  id: string
  folder_id: string
  file_id: string
  /** `<folder>/<file>`. */
  file_name: string
  /** 1 for the first of the file. */
  position: number
  /** Counted from 1. */
  start_line: number
  end_line: number
  text: string
  created_at: Date
}

export const filePassageColumns = (passage: string, file: string, folder: string): string =>
  `${['id', 'folder_id', 'file_id', 'position', 'start_line', 'end_line', 'text', 'created_at']
    .map((name) => `${passage}.${name}`)
    .join(', ')}, ${folder}.name || '/' || ${file}.name as file_name`
