import { unprocessable } from '#platform/errors.ts'

/** Characters (UTF-16 code units) that a block may hold when nothing else is asked for; V1's figure. */
export const DEFAULT_BLOCK_LIMIT = 100_000
/** The same for the two blocks that nearly every agent has; V1's figure. */
const DEFAULT_PERSONA_HUMAN_LIMIT = 20_000
/** Longest label, in characters: the label is a tag of the system prompt and a key of every memory tool. */
export const MAX_BLOCK_LABEL_LENGTH = 100

const DEFAULT_DESCRIPTIONS: Readonly<Record<string, string>> = {
  human:
    'The human block: what you know about the person you are talking with (name, interests, plans, preferences), so that each answer fits them.',
  persona:
    'The persona block: who you are, how you speak and what you care about. It keeps your character steady over time.',
}

/** Anything that would break the tag `<label>` of the system prompt, or that a model cannot repeat: controls, `<`, `>`. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const FORBIDDEN_IN_LABEL = /[\u0000-\u001f\u007f<>]/

/** A block as a client asks for it; null and undefined both mean "not said". */
export interface NewBlockInput {
  label: string
  value: string
  limit?: number | null | undefined
  description?: string | null | undefined
  read_only?: boolean | null | undefined
  metadata?: Record<string, unknown> | null | undefined
  tags?: readonly string[] | null | undefined
  is_template?: boolean | null | undefined
  template_name?: string | null | undefined
  template_id?: string | null | undefined
  base_template_id?: string | null | undefined
  deployment_id?: string | null | undefined
  entity_id?: string | null | undefined
  preserve_on_migration?: boolean | null | undefined
  project_id?: string | null | undefined
  hidden?: boolean | null | undefined
}

/** A block that obeys the rules, ready to be stored; the names are the columns' names. */
export interface NewBlock {
  label: string
  value: string
  char_limit: number
  description: string | null
  read_only: boolean
  metadata: Record<string, unknown>
  /** Without duplicates; stored in block_tags. */
  tags: string[]
  is_template: boolean
  template_name: string | null
  template_id: string | null
  base_template_id: string | null
  deployment_id: string | null
  entity_id: string | null
  preserve_on_migration: boolean | null
  project_id: string | null
  hidden: boolean | null
}

/** Throws unprocessable when the label is empty, too long, or would break the prompt. */
export function checkBlockLabel(label: string): void {
  if (label.trim() === '') throw unprocessable('A block needs a label: send a short name such as `human`.')
  if (label.length > MAX_BLOCK_LABEL_LENGTH) {
    throw unprocessable(`The block label has ${label.length} characters; use ${MAX_BLOCK_LABEL_LENGTH} or fewer.`)
  }
  if (FORBIDDEN_IN_LABEL.test(label)) {
    throw unprocessable(
      `The block label ${JSON.stringify(label)} has a control character, '<' or '>': use letters, digits, '_', '-', '/'.`,
    )
  }
}

/** Throws unprocessable when the value is longer than the limit (both in UTF-16 code units) or the limit is below 1. */
export function checkBlockValue(label: string, value: string, charLimit: number): void {
  if (!Number.isInteger(charLimit) || charLimit < 1 || charLimit > 2_147_483_647) {
    throw unprocessable(`The limit of block \`${label}\` must be a whole number from 1 to 2147483647.`)
  }
  if (value.length > charLimit) {
    throw unprocessable(
      `Edit failed: Exceeds ${charLimit} character limit (requested ${value.length}). Shorten the value of block \`${label}\` or raise its limit.`,
    )
  }
}

/**
 * The limit of a block when the client named none. A limit that nobody asked for must not refuse the value: a long persona
 * gets the general limit.
 */
function defaultCharLimit(label: string, value: string): number {
  const isPersonal = label === 'human' || label === 'persona'
  return isPersonal && value.length <= DEFAULT_PERSONA_HUMAN_LIMIT ? DEFAULT_PERSONA_HUMAN_LIMIT : DEFAULT_BLOCK_LIMIT
}

/** Fills in the defaults and checks the rules. Throws unprocessable for a bad label or a value over the limit. */
export function normalizeNewBlock(input: NewBlockInput): NewBlock {
  checkBlockLabel(input.label)
  const charLimit = input.limit ?? defaultCharLimit(input.label, input.value)
  checkBlockValue(input.label, input.value, charLimit)
  return {
    label: input.label,
    value: input.value,
    char_limit: charLimit,
    description: input.description ?? DEFAULT_DESCRIPTIONS[input.label] ?? null,
    read_only: input.read_only ?? false,
    metadata: input.metadata ?? {},
    tags: [...new Set(input.tags ?? [])],
    is_template: input.is_template ?? false,
    template_name: input.template_name ?? null,
    template_id: input.template_id ?? null,
    base_template_id: input.base_template_id ?? null,
    deployment_id: input.deployment_id ?? null,
    entity_id: input.entity_id ?? null,
    preserve_on_migration: input.preserve_on_migration ?? false,
    project_id: input.project_id ?? null,
    hidden: input.hidden ?? null,
  }
}
