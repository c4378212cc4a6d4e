import { randomInt } from 'node:crypto'
import { unprocessable } from '#platform/errors.ts'

const ADJECTIVES =
  `amber brave bright calm candid clear coral curious eager early fair fleet gentle golden hardy honest keen
   kind lively lucid mellow merry nimble noble patient quick quiet ready sage silver steady sunny tidy vivid
   warm wise`.split(/\s+/)
const NOUNS = `anchor aspen beacon birch brook cedar comet compass crane delta ember falcon fern fjord harbor heron
   island kestrel lantern lark maple meadow otter pebble pine quill raven reef river robin sparrow spruce
   summit thistle willow wren`.split(/\s+/)

/** A friendly name such as `quiet-harbor-417`, for an agent that was given none; not unique, as names need not be. */
export function newAgentName(): string {
  const pick = (words: readonly string[]) => words[randomInt(words.length)] ?? 'agent'
  return `${pick(ADJECTIVES)}-${pick(NOUNS)}-${randomInt(100, 1000)}`
}

/** Letters, marks and digits of any script, `_`, space, `'` and `-`: V1's rule, since names become file names. */
const AGENT_NAME = /^[\p{L}\p{M}\p{N}_ '-]+$/u
const MAX_AGENT_NAME_LENGTH = 500

/** Throws unprocessable. */
export function checkAgentName(name: string): void {
  if (name.length > MAX_AGENT_NAME_LENGTH) {
    throw unprocessable(`The agent's name has ${name.length} characters; use ${MAX_AGENT_NAME_LENGTH} or fewer.`)
  }
  if (!AGENT_NAME.test(name)) {
    throw unprocessable(
      `Agent name ${JSON.stringify(name)} contains invalid characters: use letters, digits, spaces, '_', '-' and apostrophes.`,
    )
  }
}
