/**
 * What the model of the replica benchmark does is said by the user's message, and follows from the transcript alone: a step that
 * is asked for again after a crash is answered alike.
 */
export interface Task {
  /** Names the run in the provider's book and in the markers that it leaves in the agent's memory. */
  key: string
  /** Model calls; each but the last ends with a call of `memory_insert`. */
  steps: number
  /** Pieces of text in each step. */
  tokens: number
  /** Milliseconds before each piece. */
  tokenMs: number
  /** Milliseconds before the first byte of each step. */
  firstMs: number
  /** Pieces say when they were sent, so that who reads them knows how old they are. */
  isStamped: boolean
}

export function taskText(task: Partial<Task> & { key: string }): string {
  const { key, steps = 1, tokens = 1, tokenMs = 0, firstMs = 0, isStamped = false } = task
  return `task key=${key} steps=${steps} tokens=${tokens} token_ms=${tokenMs} first_ms=${firstMs} stamped=${isStamped ? 1 : 0}.`
}

const PATTERN = /task key=([\w-]+) steps=(\d+) tokens=(\d+) token_ms=(\d+) first_ms=(\d+) stamped=([01])\./

/** The task in a message of a user; a message without one is answered with one word. */
export function parseTask(text: string): Task {
  const [, key = 'none', steps = '1', tokens = '1', tokenMs = '0', firstMs = '0', stamped] = PATTERN.exec(text) ?? []
  return {
    key,
    steps: Number(steps),
    tokens: Number(tokens),
    tokenMs: Number(tokenMs),
    firstMs: Number(firstMs),
    isStamped: stamped === '1',
  }
}

/** What the tool call of a step (from 0) leaves in the block `human`. */
export const markerOf = (key: string, step: number): string => `m-${key}-${step};`

/** Microseconds of the clock that all processes of a machine share. */
export const clockMicros = (): number => Number(process.hrtime.bigint() / 1000n)

const STAMP = /@(\d+) /g

export const tokenOf = (task: Task, step: number, index: number): string =>
  task.isStamped ? `@${clockMicros()} ` : `w${step}.${index} `

/** When the stamped pieces in a text were sent, in microseconds of `clockMicros`. */
export const stampsIn = (text: string): number[] => Array.from(text.matchAll(STAMP), ([, micros]) => Number(micros))
