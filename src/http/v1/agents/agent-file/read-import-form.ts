import type { FastifyRequest } from 'fastify'
import type { ImportOptions } from '#agent/agent-file/import-agents.ts'
import { parseJson } from '#http/plugins/json-body.ts'
import { DomainError, errorMessage, invalidArgument, unprocessable } from '#platform/errors.ts'

export interface ImportForm {
  file: Buffer
  projectId: string | undefined
  options: ImportOptions
}

/** V1 has this in a header too. */
export const EMBEDDING_HEADER = 'x-override-embedding-model'

/** The form of an import: the file and what is to be done with it. Throws unprocessable, invalid_argument, too_large. */
export async function readImportForm(request: FastifyRequest, maxFileBytes: number): Promise<ImportForm> {
  if (!request.isMultipart()) throw unprocessable('Send multipart/form-data with the agent file in the field `file`.')
  const { file, fields } = await readParts(request, maxFileBytes)
  if (file === undefined) throw unprocessable('body.file: Field required: the agent file, as a file of the form.')
  const text = (...names: string[]) => names.map((name) => fields.get(name)).find((value) => value !== undefined)
  const header = request.headers[EMBEDDING_HEADER]
  return {
    file,
    projectId: text('project_id'),
    options: {
      name: text('name', 'override_name'),
      nameSuffix: flag(fields, 'append_copy_suffix', true) ? '_copy' : '',
      model: text('model', 'override_model_handle'),
      embedding: text('embedding', 'override_embedding_handle') ?? (typeof header === 'string' ? header : undefined),
      secrets: readSecrets(fields, 'env_vars_json', 'secrets'),
      overridesTools: flag(fields, 'override_existing_tools', true),
      withoutMessages: flag(fields, 'strip_messages', false),
      withoutArchives: flag(fields, 'strip_archives', false),
    },
  }
}

/** Text fields that are not empty, and the file. */
async function readParts(
  request: FastifyRequest,
  maxFileBytes: number,
): Promise<{ file: Buffer | undefined; fields: ReadonlyMap<string, string> }> {
  const fields = new Map<string, string>()
  let file: Buffer | undefined
  try {
    for await (const part of request.parts({ limits: { fileSize: maxFileBytes } })) {
      if (part.type === 'file') {
        const content = await part.toBuffer()
        if (part.fieldname === 'file') file = content
      } else if (typeof part.value === 'string' && part.value !== '') {
        fields.set(part.fieldname, checkText(part.fieldname, part.value))
      }
    }
  } catch (error) {
    throw refusalOf(error, maxFileBytes)
  }
  return { file, fields }
}

function refusalOf(error: unknown, maxFileBytes: number): unknown {
  if (error instanceof DomainError) return error
  const { statusCode } = error as { statusCode?: number }
  if (statusCode === 413) {
    const megabytes = Math.floor(maxFileBytes / 1024 / 1024)
    return new DomainError(
      'too_large',
      `The form is too large: the file may have ${megabytes} MB (${errorMessage(error)}).`,
    )
  }
  return invalidArgument(`The form cannot be read: ${errorMessage(error)}.`)
}

function checkText(name: string, value: string): string {
  if (value.includes('\0') || !value.isWellFormed())
    throw unprocessable(`body.${name}: Text must not contain NUL characters.`)
  return value
}

function flag(fields: ReadonlyMap<string, string>, name: string, fallback: boolean): boolean {
  const value = fields.get(name)?.toLowerCase()
  if (value === undefined) return fallback
  if (['true', '1', 'yes', 'on'].includes(value)) return true
  if (['false', '0', 'no', 'off'].includes(value)) return false
  throw unprocessable(`body.${name}: Input should be a valid boolean`)
}

/** Keys and values from fields that hold a JSON object; later fields win. */
function readSecrets(fields: ReadonlyMap<string, string>, ...names: string[]): Record<string, string> {
  const secrets: Record<string, string> = {}
  for (const name of names) {
    const text = fields.get(name)
    if (text === undefined) continue
    Object.assign(secrets, parseSecrets(name, text))
  }
  return secrets
}

function parseSecrets(name: string, text: string): object {
  let value: unknown
  try {
    value = parseJson(Buffer.from(text))
  } catch {
    // the parser's words would tell a piece of the text
    value = undefined
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (isObject && Object.values(value as object).every((entry) => typeof entry === 'string')) return value as object
  throw invalidArgument(`${name} must be a JSON object of names and texts, such as {"API_KEY": "…"}.`)
}
