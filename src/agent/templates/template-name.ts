import { randomInt } from 'node:crypto'
import { newAgentName } from '#agent/agent-name.ts'
import { conflict, type DomainError, invalidArgument, notFound } from '#platform/errors.ts'

const NAME = /^[a-zA-Z0-9_-]{1,200}$/

/** Throws invalid_argument. */
export function checkTemplateName(name: string): string {
  if (NAME.test(name)) return name
  throw invalidArgument(`INVALID_ARGUMENT: '${name}' is no name of a template: use letters, digits, '_' and '-'.`)
}

export const newTemplateName = (): string => `${newAgentName()}-${randomInt(1000, 10_000)}`

export const templateNotFound = (name: string): DomainError => notFound(`Template '${name}' was not found.`)
export const nameTaken = (name: string): DomainError =>
  conflict(`CONFLICT: There is a template named '${name}' in this project already. Choose another name.`, {
    canRetry: false,
  })

/** Which version of a template: a saved one, the newest saved one, or the one under work. */
export type VersionName = number | 'latest' | 'current'

export interface TemplateAddress {
  /** Slug, where it is part of the address. */
  project: string | undefined
  name: string
  version: VersionName
}

/** `name`, `name:2`, `name:latest`, `name:current`, and each with its project before it: `project/name:2`. Throws not_found. */
export function parseTemplateAddress(text: string): TemplateAddress {
  const [, project, name, version] = /^(?:([^/:]+)\/)?([^/:]+)(?::([^/:]+))?$/.exec(text) ?? []
  if (name === undefined) throw templateNotFound(text)
  return { project, name, version: version === undefined ? 'latest' : parseVersion(version) }
}

/** Throws invalid_argument for what is neither a number nor one of the names. */
export function parseVersion(text: string): VersionName {
  if (text === 'latest') return text
  if (text === 'current' || text === 'dev') return 'current'
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw invalidArgument(`INVALID_ARGUMENT: '${text}' is no version: use a number, 'latest' or 'current'.`)
}
