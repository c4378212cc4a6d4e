import { unprocessable } from '#platform/errors.ts'

const MAX_NAME_LENGTH = 255

/** The last part of a path, for clients that send one: a file has a name, never a place on a disk. Throws unprocessable. */
export function toFileName(given: string): string {
  const name = (given.split(/[\\/]/).at(-1) ?? '')
    .replace(/\p{Cc}/gu, '')
    .toWellFormed()
    .trim()
  if (name === '' || name === '.' || name === '..') throw unprocessable('The file needs a name.')
  if (name.length > MAX_NAME_LENGTH) {
    throw unprocessable(`The name of the file has ${name.length} characters; use ${MAX_NAME_LENGTH} or fewer.`)
  }
  return name
}

/** Name and ending, the ending with its dot; `.env` and `Dockerfile` have none. */
export function splitExtension(name: string): { stem: string; extension: string } {
  const dot = name.lastIndexOf('.')
  return dot <= 0 ? { stem: name, extension: '' } : { stem: name.slice(0, dot), extension: name.slice(dot) }
}
